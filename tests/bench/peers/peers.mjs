// SPDX-License-Identifier: MIT
// One measurement of a peer: node peers.mjs graphile|pgboss URL CLIENTS BATCH SECONDS
// CLIENTS loops, each with one call under way, on a pool of as many connections; BATCH 1 is the
// single call, more is the bulk call. The job is about 100 bytes. Prints one line of JSON.
import pg from 'pg';
import { makeWorkerUtils } from 'graphile-worker';
import { PgBoss } from 'pg-boss';

const [, , peer, url, clients, batch, seconds] = process.argv;
const n = Number(clients);
const size = Number(batch);
const payload = (i) => ({ order: `order-${process.pid}-${i}`, note: 'x'.repeat(60) });
const many = (make) => Array.from({ length: size }, (_, i) => make(i));

const peers = {
  async graphile() {
    const pool = new pg.Pool({ connectionString: url, max: n });
    const utils = await makeWorkerUtils({ pgPool: pool });
    await utils.migrate();
    const job = (i) => ({ identifier: 'request', payload: payload(i) });
    return {
      call: size === 1 ? (i) => utils.addJob('request', payload(i)) : () => utils.addJobs(many(job)),
      end: async () => { await utils.release(); await pool.end(); },
    };
  },
  async pgboss() {
    const boss = new PgBoss({ connectionString: url, max: n, supervise: false, schedule: false });
    boss.on('error', (error) => { console.error(error.message); });
    await boss.start();
    await boss.createQueue('request');
    const job = (i) => ({ data: payload(i) });
    return {
      call: size === 1 ? (i) => boss.send('request', payload(i)) : () => boss.insert('request', many(job)),
      end: () => boss.stop({ graceful: false }),
    };
  },
};

const { call, end } = await peers[peer]();
let calls = 0;
async function loop(until) {
  while (performance.now() < until) {
    await call(calls++);
  }
}
await Promise.all(Array.from({ length: n }, () => call(calls++))); // connections are there before the clock runs
calls = 0;
const begun = performance.now();
await Promise.all(Array.from({ length: n }, () => loop(begun + Number(seconds) * 1000)));
const took = (performance.now() - begun) / 1000;
console.log(JSON.stringify({ events_per_second: (calls * size) / took, calls }));
await end();
