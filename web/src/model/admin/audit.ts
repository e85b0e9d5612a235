/** Who changed what, the newest first, a page at a time. */

import type { AdminHttp } from '../../session/admin.ts';
import { type SignedOut, Work } from '../work.ts';
import type { AuditScreen, AuditState } from './screens.ts';

/** As many as the server gives at once: fewer are the last. */
const PAGE = 100;

export class AuditModel extends Work<AuditState> implements AuditScreen {
  readonly #http: AdminHttp;

  constructor(http: AdminHttp, signedOut: SignedOut) {
    super({ busy: false, hasMore: false }, signedOut);
    this.#http = http;
    this.more();
  }

  more(): void {
    const before = this.state.entries ?? [];
    void this.attempt(() => this.#http.audit(before.at(-1)?.id)).then((page) => {
      if (page) this.patch({ entries: [...before, ...page.entries], hasMore: page.entries.length === PAGE });
    });
  }
}
