// The body of a function that a browser is given. Its arguments: the URL, things.py's FOR_PROGRAMS, and
// whom to tell the results. Fragments, Pings and a connection without compression are not a page's to ask for.

const [url, {messages, closes, limit}, report] = arguments;
delete messages.plain;
messages.bin1m = Uint8Array.from({length: 1 << 20}, (_, i) => i * 31 + (i >> 8) * 7);

function isSame(received, expected) {
    if (typeof expected === 'string') return received === expected;
    if (!(received instanceof ArrayBuffer) || received.byteLength !== expected.length) return false;
    return new Uint8Array(received).every((byte, i) => byte === expected[i]);
}

function attempt(thing) {
    return new Promise((resolve, reject) => {
        const client = new WebSocket(url);
        client.binaryType = 'arraybuffer';
        client.onopen = () => {
            if (thing === 'deflate' && !/permessage-deflate/.test(client.extensions))
                return reject(`extensions ${client.extensions}`);
            thing in messages ? client.send(messages[thing]) : client.close(...closes[thing]);
        };
        client.onmessage = event => {
            isSame(event.data, messages[thing]) ? resolve() : reject('got something else');
            client.close();
        };
        client.onclose = event => {
            const [code, reason] = closes[thing] || [];
            event.wasClean && event.code === code && event.reason === reason ?
                resolve() : reject(`closed ${event.code} ${event.reason} clean ${event.wasClean}`);
        };
        setTimeout(reject, limit * 1000, 'time-out');
    });
}

async function main() {
    const results = {frag: ['-', ''], ping: ['-', ''], plain: ['-', '']};
    for (const thing of [...Object.keys(messages), ...Object.keys(closes)]) {
        try {
            await attempt(thing);
            results[thing] = ['ok', ''];
        } catch (note) {
            results[thing] = ['FAIL', String(note)];
        }
    }
    report(results);
}

main();
