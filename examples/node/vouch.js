// SPDX-License-Identifier: MIT
// npm ci --prefix examples/node && node examples/node/vouch.js build/vouch.so OPTIONS.json
//
// One order from checkout to review. An adapter opens once per process, emits with .async as here (4 calls run at a time, on
// libuv's pool; keep at most 64 in flight, batches as one JSON array), takes on a timer with wait_ms 0 or in a worker_thread
// of its own, and awaits stop and close in its shutdown hook. Background work: vouch_start(1), or `vouchctl run`.
'use strict';
const fs = require('fs');
const path = require('path');
const koffi = require('koffi');

// deep: libcurl and libpq find the system's OpenSSL, not the one inside node.
const lib = koffi.load(path.resolve(process.argv[2]), { deep: true });
koffi.opaque('vouch');
koffi.disposable('Text', 'str', lib.func('void vouch_free(void *text)')); // copies, then gives the reply back
const vouch = {
  abi: lib.func('int vouch_abi(void)'),
  open: lib.func('int vouch_open(const char *options, _Out_ vouch **module, _Out_ Text *reply)'),
  emit: lib.func('int vouch_emit(vouch *module, const char *event, size_t length, _Out_ Text *reply)'),
  step: lib.func('int vouch_step(vouch *module, int budget_ms, _Out_ Text *reply)'),
  take: lib.func('int vouch_take(vouch *module, int wait_ms, _Out_ Text *event)'),
  ack: lib.func('int vouch_ack(vouch *module, const char *event_id, _Out_ Text *reply)'),
  serve: lib.func('int vouch_serve(vouch *module, const char *request, size_t length, _Out_ Text *response)'),
  stop: lib.func('int vouch_stop(vouch *module, int deadline_ms, _Out_ Text *reply)'),
  close: lib.func('int vouch_close(vouch *module)'),
};
if (vouch.abi() !== 1) throw new Error('another ABI');

/** Calls off the event loop; resolves to the reply, rejects with the problem. */
const ask = (name, ...given) => new Promise((resolve, reject) => {
  const reply = [null];
  vouch[name].async(...given, reply, (error, code) => {
    if (error || code < 0) return reject(error || new Error(`vouch_${name}: ${code} ${reply[0]}`));
    resolve(JSON.parse(reply[0] ?? 'null'));
  });
});
const ago = (days) => new Date(Date.now() - days * 86400000).toISOString();

async function main() {
  const handle = [null];
  await ask('open', fs.readFileSync(process.argv[3], 'utf8'), handle);
  const module = handle[0], order = 'node-1';
  const emit = (type, id, time, data) => { // the id is derived from the fact: a repetition is recognised and free
    const event = JSON.stringify({ specversion: '1.0', id, source: '/node', type, time, data });
    return ask('emit', module, event, Buffer.byteLength(event)); // bytes: "ē" counts two
  };
  await emit('order.placed', `placed:${order}`, ago(3), { order: { id: order, placed_at: ago(3),
    customer: { id: 'c-7', email: 'anna@example.test', name: 'Anna' }, items: [{ id: '1', product_id: 'kettle', name: 'Tējkanna' }] } });
  await emit('order.delivered', `delivered:${order}`, ago(1), { order: { id: order, delivered_at: ago(1) } });
  const { review } = await emit('review.submitted', `review:${order}`, ago(0), { review: { id: `r-${order}`, // customer_id: logged in
    product_id: 'kettle', rating: 4, body: 'Uzvāra ātri.', author: { customer_id: 'c-7' } } });
  console.log('review', JSON.stringify(review));
  await ask('step', module, 1000);
  for (let event; (event = await ask('take', module, 0)); await ask('ack', module, event.id)) console.log('event', event.type);
  const request = JSON.stringify({ method: 'GET', target: '/products/kettle/reviews', headers: { accept: 'application/json' } });
  console.log('summary', JSON.stringify(JSON.parse((await ask('serve', module, request, Buffer.byteLength(request))).body).summary));
  await ask('stop', module, 5000);
  console.log('closed', vouch.close(module));
}
main().catch((error) => { console.error(error.message); process.exitCode = 1; });
