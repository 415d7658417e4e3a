"use strict";
importScripts("benchmark_runner.js");

onmessage = async ({data}) => {
  try {
    await runBenchmark(data, (line) => postMessage({line}));
    postMessage({end: true});
  } catch (error) {
    postMessage({end: true, error: error.message});
  }
};
