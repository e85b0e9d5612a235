/** What people carry beside their password: an authenticator app's codes, and Chromium's own virtual passkey device. */

import { createHmac } from 'node:crypto';

const STEP_S = 30;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * The code of RFC 6238. The server takes the next step's too, so that two codes are good at any time.
 * @param {string} secret in base32
 * @param {number} [ahead] so many steps
 */
export function code(secret, ahead = 0) {
  const bits = [...secret].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000 / STEP_S) + ahead));
  const hash = createHmac('sha1', key).update(step).digest();
  const number = hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7f_ff_ff_ff;
  return String(number % 1_000_000).padStart(6, '0');
}

/** A device built in that knows its owner by fingerprint, until it is told otherwise. */
export class PasskeyDevice {
  /** @param {import('playwright-core').CDPSession} session @param {string} id */
  constructor(session, id) {
    this.session = session;
    this.id = id;
  }

  /** @param {import('./person.mjs').Person} person */
  static async of(person) {
    const session = await person.context.newCDPSession(person.page);
    await session.send('WebAuthn.enable');
    const options = /** @type {const} */ ({
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    });
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options });
    return new PasskeyDevice(session, authenticatorId);
  }

  /** Whether it is the right finger. @param {boolean} isUserVerified */
  async knowsOwner(isUserVerified) {
    await this.session.send('WebAuthn.setUserVerified', { authenticatorId: this.id, isUserVerified });
  }

  /** Waits until it has signed something. @param {() => Promise<void>} steps */
  async signs(steps) {
    /** @type {Promise<void>} */
    const signed = new Promise((resolve) => this.session.once('WebAuthn.credentialAsserted', () => resolve()));
    await steps();
    await signed;
  }

  async passkeys() {
    const { credentials } = await this.session.send('WebAuthn.getCredentials', { authenticatorId: this.id });
    return credentials;
  }
}

/** Whether the browser offers passkeys by itself, in the pages that open from now on. */
export class Autofill {
  isThere = true;

  /** @param {import('./person.mjs').Person} person */
  static async of(person) {
    const autofill = new Autofill();
    await person.context.exposeFunction('offersPasskeys', () => autofill.isThere);
    await person.context.addInitScript(() => {
      PublicKeyCredential.isConditionalMediationAvailable = () => /** @type {any} */ (globalThis).offersPasskeys();
    });
    return autofill;
  }
}
