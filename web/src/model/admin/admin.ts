/** Opens the pages of the administration. Loaded when somebody goes there. */

import type { ClientCreated, NewLink, User } from '../../protocol/generated.ts';
import { AdminHttp, SettingsHttp } from '../../session/admin.ts';
import { ConnectionsHttp } from '../../session/connections.ts';
import type { Http } from '../../session/http.ts';
import { type AdminSection, adminPath } from '../address.ts';
import type { Browser } from '../browser.ts';
import { StayModel, StaysModel } from '../connection/stays.ts';
import { Copyable } from '../copyable.ts';
import { ListModel, type Told } from '../list.ts';
import type { SignedOut } from '../work.ts';
import { AuditModel } from './audit.ts';
import { OverviewModel } from './overview.ts';
import { PeopleModel } from './people.ts';
import { PersonModel } from './person.ts';
import type {
  AdminPage,
  AdminScreen,
  Client,
  ClientDraft,
  Group,
  GroupDraft,
  Invite,
  InviteDraft,
  InvitesScreen,
  PersonSession,
  Token,
  TokenDraft,
} from './screens.ts';
import { SettingsModel } from './settings.ts';

export interface AdminPorts {
  readonly browser: Browser;
  readonly http: Http;
  readonly user: User;
  /** Whether the house sends mail. */
  readonly mail: boolean;
  navigate(path: string): void;
  readonly signedOut: SignedOut;
  /** Name or logo of the house are different now. */
  houseChanged(): void;
}

export function openAdmin(ports: AdminPorts, section: AdminSection, id?: string): AdminScreen {
  const page = id === undefined ? openSection(ports, section) : openOne(ports, section, id);
  return {
    section,
    page,
    close: () => {
      if ('close' in page.screen && typeof page.screen.close === 'function') page.screen.close();
    },
  };
}

function openOne(ports: AdminPorts, section: AdminSection, id: string): AdminPage {
  if (section !== 'connections') return openPerson(ports, id);
  return { name: 'connection', screen: new StayModel(new ConnectionsHttp(ports.http.api), id, true, ports.signedOut) };
}

function openPerson(ports: AdminPorts, id: string): AdminPage {
  const { browser, mail, signedOut } = ports;
  const removed = (): void => ports.navigate(adminPath('people'));
  const http = new AdminHttp(ports.http.api);
  return {
    name: 'person',
    screen: new PersonModel({ browser, http, mail, signedOut, you: id === ports.user.id, removed }, id),
  };
}

function openSection(ports: AdminPorts, section: AdminSection): AdminPage {
  const { browser, mail, signedOut } = ports;
  const http = new AdminHttp(ports.http.api);
  const settings = new SettingsHttp(ports.http.api);
  switch (section) {
    case 'overview':
      return { name: section, screen: new OverviewModel(settings, signedOut) };
    case 'people':
      return { name: section, screen: new PeopleModel({ browser, http, mail, signedOut }) };
    case 'groups':
      return { name: section, screen: groups(http, signedOut) };
    case 'invites':
      return { name: section, screen: invites(ports, http) };
    case 'sessions':
      return { name: section, screen: sessions(http, signedOut) };
    case 'house':
    case 'policy': {
      const changed = (): void => ports.houseChanged();
      return { name: section, screen: new SettingsModel({ browser, http, settings, signedOut, changed }) };
    }
    case 'applications':
      return { name: section, screen: applications(ports, http) };
    case 'tokens':
      return { name: section, screen: tokens(ports, http) };
    case 'connections': {
      const connections = new ConnectionsHttp(ports.http.api);
      return { name: section, screen: new StaysModel(connections, browser, () => Date.now(), signedOut) };
    }
    case 'audit':
      return { name: section, screen: new AuditModel(http, signedOut) };
  }
}

function groups(http: AdminHttp, signedOut: SignedOut): ListModel<Group, GroupDraft> {
  return new ListModel<Group, GroupDraft>(
    {
      load: async () => (await http.groups()).groups,
      make: async ({ name }) => void (await http.createGroup(name)),
      change: (id, { name }) => http.renameGroup(id, name),
      remove: (id) => http.remove('groups', id),
    },
    signedOut,
  );
}

function invites({ browser, mail, signedOut }: AdminPorts, http: AdminHttp): InvitesScreen {
  const list = new ListModel<Invite, InviteDraft>(
    {
      load: async () => (await http.invites()).invites,
      make: async (draft) => linkTold(browser, draft.name, await http.createInvite(draft)),
      remove: (id) => http.remove('invites', id),
    },
    signedOut,
  );
  return Object.assign(list, { mail, groups: groups(http, signedOut) });
}

function linkTold(browser: Browser, name: string, link: NewLink): Told {
  const text = new Copyable(browser, link.url);
  return { kind: 'link', name, text, expiresAt: link.expires_ms, mailed: link.mailed };
}

function sessions(http: AdminHttp, signedOut: SignedOut): ListModel<PersonSession> {
  return new ListModel<PersonSession>(
    {
      load: async () => (await http.sessions()).sessions.map(({ session, user, name }) => ({ ...session, user, name })),
      remove: (id) => http.remove('sessions', id),
    },
    signedOut,
  );
}

function applications({ browser, signedOut }: AdminPorts, http: AdminHttp): ListModel<Client, ClientDraft> {
  return new ListModel<Client, ClientDraft>(
    {
      load: async () => (await http.clients()).clients,
      make: async (draft) => clientTold(browser, await http.createClient(draft)),
      remove: (id) => http.remove('clients', id),
    },
    signedOut,
  );
}

/** Public clients have no secret: only their id is told, and that stands in the list. */
function clientTold(browser: Browser, { client, secret }: ClientCreated): Told | undefined {
  if (secret === undefined) return undefined;
  const id = new Copyable(browser, client.id);
  return { kind: 'secret', name: client.name, text: new Copyable(browser, secret), id };
}

function tokens({ browser, signedOut }: AdminPorts, http: AdminHttp): ListModel<Token, TokenDraft> {
  return new ListModel<Token, TokenDraft>(
    {
      load: async () => (await http.tokens()).tokens,
      make: async (draft) => {
        const { token, secret } = await http.createToken(draft);
        return { kind: 'secret', name: token.name, text: new Copyable(browser, secret) };
      },
      remove: (id) => http.remove('tokens', id),
    },
    signedOut,
  );
}
