/** The first steps of a new house, each with the page where it is taken. */

import type { Checklist } from '../../protocol/generated.ts';
import type { SettingsHttp } from '../../session/admin.ts';
import { adminPath } from '../address.ts';
import { type SignedOut, Work } from '../work.ts';
import type { OverviewScreen, OverviewState, Step } from './screens.ts';

const STEPS: readonly (readonly [Step, string])[] = [
  ['name', adminPath('house')],
  ['logo', adminPath('house')],
  ['legal_links', adminPath('house')],
  ['people', adminPath('people')],
  ['guests', adminPath('policy')],
  ['mail', adminPath('house')],
];

export class OverviewModel extends Work<OverviewState> implements OverviewScreen {
  readonly #http: SettingsHttp;

  constructor(http: SettingsHttp, signedOut: SignedOut) {
    super({ busy: false }, signedOut);
    this.#http = http;
    this.retry();
  }

  retry(): void {
    void this.attempt(() => this.#http.checklist()).then((list) => list && this.#show(list));
  }

  dismiss(): void {
    void this.attempt(() => this.#http.dismissChecklist()).then((done) => done && this.patch({ steps: [] }));
  }

  #show(list: Checklist): void {
    this.patch({ steps: list.dismissed ? [] : STEPS.map(([step, path]) => ({ step, done: list[step], path })) });
  }
}
