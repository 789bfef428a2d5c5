// SPDX-License-Identifier: MIT
// nodemailer's pool: node mailer.mjs PORT CONNECTIONS MAILS TEXT_FILE HTML_FILE
// Twice as many mails as connections are under way, so that none of them waits for the loop.
import { readFileSync } from 'node:fs';
import nodemailer from 'nodemailer';

const [, , port, connections, mails, textFile, htmlFile] = process.argv;
const text = readFileSync(textFile, 'utf8');
const html = readFileSync(htmlFile, 'utf8');
const n = Number(connections);
const most = Number(mails);
const transport = nodemailer.createTransport({
  pool: true, maxConnections: n, maxMessages: Infinity, host: '127.0.0.1', port: Number(port), secure: false, ignoreTLS: true,
});
let next = 0;
let accepted = 0;
async function loop() {
  while (next < most) {
    const i = next;
    next += 1;
    const done = await transport.sendMail({
      from: { name: 'Kettle & Co', address: 'shop@shop.test' }, to: `buyer${i}@buyer.test`,
      subject: 'How do you like your Tējkanna?', messageId: `<${i}.bench@shop.test>`, text, html,
      headers: {
        'List-Id': '<requests.main.shop.test>', 'List-Unsubscribe': `<https://shop.test/u/${i}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click', 'Auto-Submitted': 'auto-generated',
        'Feedback-ID': 'request:main:mail:vouch',
      },
    });
    accepted += done.accepted.length;
  }
}
const begun = process.hrtime.bigint();
const cpu = process.cpuUsage();
await Promise.all(Array.from({ length: 2 * n }, loop));
const used = process.cpuUsage(cpu);
const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
console.log(JSON.stringify({ mails: accepted, seconds, cpu_us: (used.user + used.system) / most }));
transport.close();
