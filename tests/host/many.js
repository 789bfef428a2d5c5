// SPDX-License-Identifier: MIT
// node many.js VOUCH.SO OPTIONS COUNT: emits COUNT orders asynchronously, at most 64 at a time, and prints how often the
// event loop turned meanwhile; then a worker thread opens the same instance and waits in a take of its own.
'use strict';
const fs = require('fs');
const { Worker, isMainThread, workerData, parentPort } = require('worker_threads');
const koffi = require('koffi');

const [so, options, count] = isMainThread ? process.argv.slice(2) : workerData;
const lib = koffi.load(so, { deep: true });
koffi.opaque('vouch');
koffi.disposable('Text', 'str', lib.func('void vouch_free(void *text)'));
const open = lib.func('int vouch_open(const char *options, _Out_ vouch **module, _Out_ Text *reply)');
const emit = lib.func('int vouch_emit(vouch *module, const char *event, size_t length, _Out_ Text *reply)');
const take = lib.func('int vouch_take(vouch *module, int wait_ms, _Out_ Text *event)');
const stop = lib.func('int vouch_stop(vouch *module, int deadline_ms, _Out_ Text *reply)');
const close = lib.func('int vouch_close(vouch *module)');

const handle = [null], reply = [null];
const opened = open(fs.readFileSync(options, 'utf8'), handle, reply);
if (opened < 0) throw new Error(`open ${opened} ${reply[0]}`);
const order = (i) => JSON.stringify({ specversion: '1.0', id: `many-${i}`, source: '/node', type: 'order.placed', data: { order: {
  id: `many-${i}`, placed_at: '2026-11-01T10:00:00Z', customer: { email: 'anna@example.test', name: 'Anna ē' },
  items: [{ id: '1', product_id: 'kettle' }] } } });

if (!isMainThread) {
  const event = [null];
  parentPort.postMessage({ code: take(handle[0], 500, event), event: event[0] });
  close(handle[0]);
} else {
  let next = 0, running = 0, turns = 0;
  const codes = {};
  const tick = setInterval(() => turns++, 1);
  const finish = async () => {
    clearInterval(tick);
    const worker = await new Promise((resolve, reject) =>
      new Worker(__filename, { workerData: [so, options, count] }).on('message', resolve).on('error', reject));
    stop(handle[0], 5000, [null]);
    console.log(JSON.stringify({ codes, turns, worker, closed: close(handle[0]) }));
  };
  const more = () => {
    while (running < 64 && next < Number(count)) {
      const text = order(next++), answer = [null];
      running++;
      emit.async(handle[0], text, Buffer.byteLength(text), answer, (error, code) => {
        running--;
        codes[error ? String(error) : code] = (codes[error ? String(error) : code] || 0) + 1;
        if (next < Number(count)) more(); else if (!running) finish();
      });
    }
  };
  more();
}
