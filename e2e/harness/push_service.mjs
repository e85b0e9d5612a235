/**
 * A browser maker's push service on this computer, as much of it as Firefox speaks: the browser holds a WebSocket and
 * registers there; the house sends its messages by HTTP.
 */

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

/** It has no types of its own. */
const { WebSocketServer } = createRequire(import.meta.url)('ws');

/** @typedef {{ headers: import('node:http').IncomingHttpHeaders, body: Buffer }} Sent */

export class PushService {
  /** What the house sent, in order. @type {Sent[]} */
  sent = [];
  /** @type {any} */
  #browser;
  #server = createServer((request, answer) => void this.#take(request, answer));

  static async start() {
    const service = new PushService();
    await new Promise((resolve) => service.#server.listen(0, '127.0.0.1', () => resolve(undefined)));
    const sockets = new WebSocketServer({
      server: service.#server,
      handleProtocols: (/** @type {Set<string>} */ offered) => [...offered][0],
    });
    sockets.on('connection', (/** @type {any} */ socket) => {
      service.#browser = socket;
      socket.on('message', (/** @type {Buffer} */ text) => service.#hear(socket, String(text)));
    });
    return service;
  }

  get #port() {
    const address = this.#server.address();
    return address && typeof address === 'object' ? address.port : 0;
  }

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What makes Firefox use it. */
  get preferences() {
    return {
      'dom.push.enabled': true,
      'dom.push.connection.enabled': true,
      'dom.push.serverURL': `ws://127.0.0.1:${this.#port}`,
      'dom.push.testing.allowInsecureServerURL': true,
      'permissions.default.desktop-notification': 1,
      // Its own windows: there is no desktop that shows any.
      'alerts.useSystemBackend': false,
    };
  }

  end() {
    this.#browser?.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** @param {any} socket @param {string} text */
  #hear(socket, text) {
    const message = JSON.parse(text);
    const say = (/** @type {object} */ answer) => socket.send(JSON.stringify(answer));
    if (message.messageType === 'hello') {
      const uaid = message.uaid || randomUUID().replaceAll('-', '');
      say({ messageType: 'hello', uaid, status: 200, use_webpush: true, broadcasts: {} });
    } else if (message.messageType === 'register') {
      const { channelID } = message;
      say({ messageType: 'register', channelID, status: 200, pushEndpoint: `${this.origin}/wpush/${channelID}` });
    } else if (message.messageType === 'unregister') {
      say({ messageType: 'unregister', channelID: message.channelID, status: 200 });
    } else if (text === '{}') say({});
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} answer */
  async #take(request, answer) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    this.sent.push({ headers: request.headers, body });
    this.#browser?.send(JSON.stringify({
      messageType: 'notification',
      channelID: request.url?.split('/').pop(),
      version: randomUUID(),
      data: body.toString('base64url'),
      headers: { encoding: request.headers['content-encoding'] },
    }));
    answer.writeHead(201).end();
  }
}
