/** The HTTP interface as functions: the house, the way in, and rooms. Every failure is a `Refusal`. */

import type {
  AcceptLink,
  AccountLink,
  ApplicationName,
  ChangeRoom,
  CreateInvite,
  Door,
  GuestEntry,
  GuestGrant,
  House,
  NewInvite,
  PasskeyAnswer,
  PasskeyChallenge,
  People,
  RoomInvites,
  Setup,
  SignedOut,
  SignIn,
  SignInCode,
  SignInStep,
  Ticket,
  User,
} from '../protocol/generated.ts';
import { Api } from './api.ts';

export class Http {
  readonly api: Api;

  constructor(fetchFunction: typeof fetch) {
    this.api = new Api(fetchFunction);
  }

  house(): Promise<House> {
    return this.api.json('GET', '/me');
  }

  setUp(setup: Setup): Promise<User> {
    return this.api.json('POST', '/setup', setup);
  }

  signIn(credentials: SignIn): Promise<SignInStep> {
    return this.api.json('POST', '/session', credentials);
  }

  signInCode(code: SignInCode): Promise<SignInStep> {
    return this.api.json('POST', '/session/code', code);
  }

  startPasskey(): Promise<PasskeyChallenge> {
    return this.api.json('POST', '/session/passkey/start', {});
  }

  finishPasskey(answer: PasskeyAnswer): Promise<SignInStep> {
    return this.api.json('POST', '/session/passkey/finish', answer);
  }

  signOut(): Promise<SignedOut> {
    return this.api.json('DELETE', '/session', {});
  }

  openLink(token: string): Promise<AccountLink> {
    return this.api.json('POST', '/links/open', { token });
  }

  acceptLink(accept: AcceptLink): Promise<SignInStep> {
    return this.api.json('POST', '/links/accept', accept);
  }

  askForRecovery(who: string): Promise<true> {
    return this.api.done('POST', '/recovery', { who });
  }

  /** What an application is called that somebody comes from. */
  application(clientId: string): Promise<ApplicationName> {
    return this.api.json('GET', `/applications?client_id=${encodeURIComponent(clientId)}`);
  }

  people(text: string): Promise<People> {
    return this.api.json('GET', `/people?q=${encodeURIComponent(text)}`);
  }

  door(room: string): Promise<Door> {
    return this.api.json('GET', `/door?room=${encodeURIComponent(room)}`);
  }

  /** Makes the room if it is not there yet. `name` may be written with `public/`. */
  createRoom(name: string): Promise<Door> {
    return this.api.json('POST', '/rooms', { name });
  }

  changeRoom(change: ChangeRoom): Promise<Door> {
    return this.api.json('PATCH', '/rooms', change);
  }

  /** What is behind an invite link. */
  openInvite(token: string): Promise<Door> {
    return this.api.json('POST', '/invites/open', { token });
  }

  createInvite(invite: CreateInvite): Promise<NewInvite> {
    return this.api.json('POST', '/rooms/invites', invite);
  }

  invites(room: string): Promise<RoomInvites> {
    return this.api.json('GET', `/rooms/invites?room=${encodeURIComponent(room)}`);
  }

  takeBackInvite(id: string): Promise<true> {
    return this.api.done('DELETE', `/rooms/invites/${encodeURIComponent(id)}`);
  }

  enterAsGuest(entry: GuestEntry): Promise<GuestGrant> {
    return this.api.json('POST', '/guests', entry);
  }

  async ticket(grant?: string): Promise<string> {
    const { ticket } = await this.api.json<Ticket>('POST', '/tickets', {}, { bearer: grant });
    return ticket;
  }
}
