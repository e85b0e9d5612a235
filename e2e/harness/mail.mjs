/** A mail server of a few lines on this computer: it takes every letter and keeps it, and reads what stands in it. */

import { createServer } from 'node:net';
import { until } from './wait.mjs';

/** @typedef {{ to: string, raw: string }} Letter */

export class Post {
  /** @type {Letter[]} */
  letters = [];

  /** @param {import('node:net').Server} server @param {number} port */
  constructor(server, port) {
    this.server = server;
    this.port = port;
  }

  static async open() {
    /** @type {Post} */
    let post;
    const server = createServer((socket) => {
      let heard = '';
      let to = '';
      let text = false;
      const say = (/** @type {string} */ line) => socket.write(`${line}\r\n`);
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        heard += chunk.toString('latin1');
        for (;;) {
          const end = text ? '\r\n.\r\n' : '\r\n';
          const at = heard.indexOf(end);
          if (at < 0) return;
          const line = heard.slice(0, at);
          heard = heard.slice(at + end.length);
          if (text) {
            post.letters.push({ to, raw: line.replaceAll('\r\n..', '\r\n.') });
            text = false;
            say('250 taken');
          } else if (line === 'DATA') {
            text = true;
            say('354 go on');
          } else if (line === 'QUIT') {
            say('221 bye');
            socket.end();
          } else {
            if (line.startsWith('RCPT TO:')) to = line.slice('RCPT TO:'.length).replaceAll(/[<>]/g, '');
            say(line.startsWith('EHLO') ? '250 here' : '250 fine');
          }
        }
      });
      say('220 here');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    post = new Post(server, address.port);
    return post;
  }

  /** Settings of a house that sends its mail here. */
  get env() {
    return { STUBE__MAIL__SERVER: `smtp://127.0.0.1:${this.port}`, STUBE__MAIL__FROM: 'Haus am See <haus@example.org>' };
  }

  /** Takes the next letter to somebody out of the box. @param {string} to */
  next(to) {
    return until(`a letter to ${to}`, async () => {
      const at = this.letters.findIndex((letter) => letter.to === to);
      return at < 0 ? undefined : this.letters.splice(at, 1)[0];
    });
  }

  close() {
    this.server.close();
  }
}

/** The text of the part of this type, whatever it was written in. @param {Letter} letter @param {string} type */
export function part({ raw }, type) {
  for (const chunk of raw.split(/\r\n--[^\r\n]+/)) {
    const [head = '', ...body] = chunk.trimStart().split('\r\n\r\n');
    const kind = /^content-type:\s*([^;\s]+)/im.exec(head)?.[1]?.toLowerCase();
    if (kind !== type) continue;
    const text = body.join('\r\n\r\n');
    const how = /^content-transfer-encoding:\s*(\S+)/im.exec(head)?.[1]?.toLowerCase();
    if (how === 'base64') return Buffer.from(text, 'base64').toString('utf8');
    if (how !== 'quoted-printable') return Buffer.from(text, 'latin1').toString('utf8');
    const bytes = text
      .replaceAll('=\r\n', '')
      .replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    return Buffer.from(bytes, 'latin1').toString('utf8');
  }
  throw new Error(`no ${type} in ${raw}`);
}
