// node-ws, or node's own WebSocket. Prints what python_clients.py says.
//
//     node node.js node-ws|node-builtin URL    things.py's FOR_PROGRAMS as JSON on standard input

const [name, url] = process.argv.slice(2);
const {things, messages, parts, closes, limit} = JSON.parse(require('fs').readFileSync(0));
messages.bin1m = Buffer.from(Uint8Array.from({length: 1 << 20}, (_, i) => i * 31 + (i >> 8) * 7));
const ping = 'p'.repeat(125);
const isBuiltIn = name === 'node-builtin';

function findClient() {
    try {
        return isBuiltIn ? globalThis.WebSocket : require('ws');
    } catch {
        return undefined;
    }
}
const Client = findClient();

function isSame(received, expected) {
    if (typeof expected === 'string') return received === expected;
    return typeof received !== 'string' && Buffer.compare(Buffer.from(received), expected) === 0;
}

function start(client, thing) {
    if (thing in messages) {
        client.send(messages[thing]);
    } else if (thing in closes) {
        client.close(...closes[thing]);
    } else if (thing === 'frag') {
        parts.forEach((part, i) => client.send(part, {fin: i === parts.length - 1}));
    } else {
        client.ping(ping);
    }
}

// Resolves with the result, rejects with what was wrong.
function attempt(thing) {
    if (isBuiltIn && ['frag', 'ping', 'plain'].includes(thing)) return '-';
    return new Promise((resolve, reject) => {
        const client = isBuiltIn ?
            new Client(url) : new Client(url, {perMessageDeflate: thing === 'deflate', maxPayload: 0});
        const fail = note => reject(new Error(note));
        client.binaryType = 'arraybuffer';
        client.onerror = event => fail(event.message || 'error');
        client.onopen = () => {
            const isDeflated = /permessage-deflate/.test(client.extensions);
            if (isBuiltIn && thing === 'deflate' && !isDeflated) return resolve('-');
            if (['deflate', 'plain'].includes(thing) && isDeflated !== (thing === 'deflate'))
                return fail(`extensions ${client.extensions}`);
            start(client, thing);
        };
        client.onmessage = event => {
            const expected = thing === 'frag' ? parts.join('') : messages[thing];
            isSame(event.data, expected) ? resolve('ok') : fail(`got ${String(event.data).slice(0, 40)}`);
        };
        if (!isBuiltIn)
            client.on('pong', data => data.toString() === ping ? resolve('ok') : fail(`pong ${data}`));
        client.onclose = event => {
            const [code, reason] = closes[thing] || [];
            event.wasClean && event.code === code && event.reason === reason ?
                resolve('ok') : fail(`closed ${event.code} ${event.reason} clean ${event.wasClean}`);
        };
        setTimeout(fail, limit * 1000, 'time-out');
    });
}

async function main() {
    if (!Client) return console.log('*\tabsent\tno WebSocket');
    for (const thing of things) {
        try {
            console.log(`${thing}\t${await attempt(thing)}\t`);
        } catch (error) {
            console.log(`${thing}\tFAIL\t${error.message}`);
        }
    }
}

main().then(() => process.exit(0));
