/**
 * An outside provider that nobody here wrote: `oidc-provider` (npm), certified. It keeps everything in memory; ours are
 * its people, the pages that they sign in on, and the portal that they come from.
 */

import { createServer } from 'node:http';
// @ts-expect-error it comes without types
import Provider from 'oidc-provider';
import { freePort } from './house.mjs';

/** @typedef {{ name: string, preferred_username: string, email: string, email_verified: boolean, groups: string[], picture?: string }} Claims */

/** By what they sign in with. @type {Record<string, Claims>} */
const PEOPLE = {
  clara: {
    name: 'Clara Clemens',
    preferred_username: 'clara',
    email: 'clara@example.org',
    email_verified: true,
    groups: ['Vorstand', 'Chor'],
    // One red pixel.
    picture:
      'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==',
  },
  dora: {
    name: 'Dora Dahl',
    preferred_username: 'dora',
    email: 'dora@example.org',
    email_verified: true,
    groups: ['Chor'],
  },
};

export const CLIENT = { id: 'stube', secret: 'between two houses' };

export class OutsideProvider {
  /** @type {import('node:http').Server | undefined} */
  #server;
  /** What went wrong when the house was told that somebody left. @type {string[]} */
  problems = [];
  /** How many were told of. */
  told = 0;

  /** @param {number} port */
  constructor(port) {
    this.port = port;
    this.issuer = `http://localhost:${port}`;
  }

  /** Known by its address, and not there yet. */
  static async planned() {
    return new OutsideProvider(await freePort());
  }

  /** Settings of a house that signs people in here only. */
  settings() {
    return {
      STUBE__OIDC__NAME: 'Portal',
      STUBE__OIDC__ISSUER: this.issuer,
      STUBE__OIDC__CLIENT_ID: CLIENT.id,
      STUBE__OIDC__CLIENT_SECRET: CLIENT.secret,
      STUBE__OIDC__ADMIN_GROUP: 'Vorstand',
      STUBE__POLICY__LOCAL_SIGN_IN: 'false',
    };
  }

  /** @param {string} house its address */
  async start(house) {
    const provider = new Provider(this.issuer, configuration(house));
    provider.on('backchannel.success', () => { this.told += 1; });
    for (const event of ['backchannel.error', 'server_error', 'authorization.error', 'grant.error', 'end_session.error']) {
      provider.on(event, (/** @type {unknown} */ _, /** @type {Error} */ error) => {
        // Whoever is asked silently and is not there is no mistake of anybody's.
        if (error?.message !== 'login_required') this.problems.push(`${event}: ${error?.message}`);
      });
    }
    const answer = provider.callback();
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', this.issuer);
      const uid = pathname.match(/^\/sign-in\/([\w-]+)$/)?.[1];
      if (uid) signIn(provider, request, response).catch((error) => this.problems.push(String(error)));
      else answer(request, response);
    });
    await new Promise((resolve) => server.listen(this.port, 'localhost', () => resolve(undefined)));
    this.#server = server;
  }

  async stop() {
    const server = this.#server;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    this.#server = undefined;
  }
}

/** @param {string} house */
function configuration(house) {
  return {
    clients: [{
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      redirect_uris: [`${house}/sso/callback`],
      post_logout_redirect_uris: [`${house}/sign-in`],
      backchannel_logout_uri: `${house}/sso/backchannel-logout`,
      backchannel_logout_session_required: true,
    }],
    // The usual ones are for development and say so.
    cookies: { keys: ['kept between two houses'] },
    claims: {
      openid: ['sub', 'sid'],
      profile: ['name', 'preferred_username', 'groups', 'picture'],
      email: ['email', 'email_verified'],
    },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
    },
    /** The house is on this computer, where it would not go otherwise. @param {string} url @param {any} options */
    fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
    interactions: { url: (/** @type {unknown} */ _, /** @type {{ uid: string }} */ { uid }) => `/sign-in/${uid}` },
    findAccount: (/** @type {unknown} */ _, /** @type {string} */ id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...PEOPLE[id] }),
    }),
    /** The house is no stranger: nobody is asked. @param {any} ctx */
    async loadExistingGrant(ctx) {
      const { client, session, provider } = ctx.oidc;
      const id = session.grantIdFor(client.clientId);
      if (id) return provider.Grant.find(id);
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  };
}

/**
 * The page that people sign in on: a name is enough.
 * @param {any} provider
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 */
async function signIn(provider, request, response) {
  if (request.method === 'POST') {
    let body = '';
    for await (const chunk of request) body += chunk;
    const accountId = new URLSearchParams(body).get('login') ?? '';
    const result = PEOPLE[accountId]
      ? { login: { accountId } }
      : { error: 'access_denied', error_description: 'nobody of this name' };
    await provider.interactionFinished(request, response, result);
    return;
  }
  await provider.interactionDetails(request, response);
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end('<!doctype html><title>Portal</title><h1>The portal wants to know who you are</h1>'
    + '<form method="post"><label>Login <input name="login"></label><button>Go on</button></form>');
}
