/** Administration over HTTP: `/api/v1/admin`. Every failure is a `Refusal`. */

import type {
  AccountInvites,
  AdminPeople,
  AdminPerson,
  AdminPersonDetails,
  AdminSessions,
  Audit,
  ChangePerson,
  ChangeSettings,
  Checklist,
  ClientCreated,
  Clients,
  CreateAccountInvite,
  CreateClient,
  CreatePerson,
  CreateToken,
  Group,
  Groups,
  ImportReport,
  LdapStatus,
  NewLink,
  PersonCreated,
  Settings,
  TokenCreated,
  Tokens,
} from '../protocol/generated.ts';
import type { Api } from './api.ts';

/** For uploads, imports and runs of the directory. */
const LONG_MS = 300_000;

const id = encodeURIComponent;

export function exportPath(person: string): string {
  return `/api/v1/admin/people/${id(person)}/export`;
}

/** Lists and what is made and taken back in them. */
export class AdminHttp {
  readonly people: PeopleHttp;
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
    this.people = new PeopleHttp(api);
  }

  groups(): Promise<Groups> {
    return this.#api.json('GET', '/admin/groups');
  }

  createGroup(name: string): Promise<Group> {
    return this.#api.json('POST', '/admin/groups', { name });
  }

  renameGroup(group: string, name: string): Promise<true> {
    return this.#api.done('PATCH', `/admin/groups/${id(group)}`, { name });
  }

  invites(): Promise<AccountInvites> {
    return this.#api.json('GET', '/admin/invites');
  }

  createInvite(invite: CreateAccountInvite): Promise<NewLink> {
    return this.#api.json('POST', '/admin/invites', invite);
  }

  clients(): Promise<Clients> {
    return this.#api.json('GET', '/admin/clients');
  }

  createClient(client: CreateClient): Promise<ClientCreated> {
    return this.#api.json('POST', '/admin/clients', client);
  }

  sessions(): Promise<AdminSessions> {
    return this.#api.json('GET', '/admin/sessions');
  }

  tokens(): Promise<Tokens> {
    return this.#api.json('GET', '/admin/tokens');
  }

  createToken(token: CreateToken): Promise<TokenCreated> {
    return this.#api.json('POST', '/admin/tokens', token);
  }

  /** Takes one thing of a list away. */
  remove(list: 'groups' | 'invites' | 'clients' | 'sessions' | 'tokens', one: string): Promise<true> {
    return this.#api.done('DELETE', `/admin/${list}/${id(one)}`);
  }

  audit(before?: string): Promise<Audit> {
    return this.#api.json('GET', `/admin/audit${before ? `?before=${id(before)}` : ''}`);
  }
}

export class PeopleHttp {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  list(query: { text: string; group: string; after?: string | undefined }): Promise<AdminPeople> {
    const search = new URLSearchParams();
    if (query.text) search.set('q', query.text);
    if (query.group) search.set('group', query.group);
    if (query.after) search.set('after', query.after);
    const text = search.toString();
    return this.#api.json('GET', `/admin/people${text ? `?${text}` : ''}`);
  }

  create(person: CreatePerson): Promise<PersonCreated> {
    return this.#api.json('POST', '/admin/people', person);
  }

  details(person: string): Promise<AdminPersonDetails> {
    return this.#api.json('GET', `/admin/people/${id(person)}`);
  }

  change(person: string, change: Partial<ChangePerson>): Promise<AdminPerson> {
    return this.#api.json('PATCH', `/admin/people/${id(person)}`, change);
  }

  remove(person: string): Promise<true> {
    return this.#api.done('DELETE', `/admin/people/${id(person)}`);
  }

  recovery(person: string, sendMail: boolean): Promise<NewLink> {
    return this.#api.json('POST', `/admin/people/${id(person)}/recovery`, { send_mail: sendMail });
  }

  endSessions(person: string): Promise<true> {
    return this.#api.done('DELETE', `/admin/people/${id(person)}/sessions`);
  }

  import(table: string, dryRun: boolean): Promise<ImportReport> {
    const content = { type: 'text/csv; charset=utf-8', data: table };
    return this.#api.jsonOfFile('POST', `/admin/people/import?dry_run=${dryRun}`, content, LONG_MS);
  }

  ldap(): Promise<LdapStatus> {
    return this.#api.json('GET', '/admin/ldap');
  }

  syncLdap(): Promise<LdapStatus> {
    return this.#api.json('POST', '/admin/ldap/sync', {}, { timeoutMs: LONG_MS });
  }
}

export class SettingsHttp {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  settings(): Promise<Settings> {
    return this.#api.json('GET', '/admin/settings');
  }

  change(change: ChangeSettings): Promise<Settings> {
    return this.#api.json('PATCH', '/admin/settings', change);
  }

  setLogo(logo: Blob): Promise<true> {
    return this.#api.sendFile('PUT', '/admin/logo', { type: logo.type, data: logo }, LONG_MS);
  }

  removeLogo(): Promise<true> {
    return this.#api.done('DELETE', '/admin/logo');
  }

  testMail(): Promise<true> {
    return this.#api.done('POST', '/admin/mail/test', {}, { timeoutMs: LONG_MS });
  }

  checklist(): Promise<Checklist> {
    return this.#api.json('GET', '/admin/checklist');
  }

  dismissChecklist(): Promise<true> {
    return this.#api.done('POST', '/admin/checklist/dismiss');
  }
}
