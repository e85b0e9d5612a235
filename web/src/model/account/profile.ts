/** Name, mail address and picture; and the password. */

import { Work } from '../work.ts';
import type { Parts } from './account.ts';
import type { PasswordScreen, ProfileScreen, ProfileState } from './screens.ts';

const SAVED_MS = 3_000;

/** A part that says for a while that something was saved. */
class SavingModel extends Work<ProfileState> {
  protected readonly parts: Parts;
  #cancelSaved = (): void => {};

  constructor(parts: Parts) {
    super({ busy: false, saved: false }, parts.signedOut);
    this.parts = parts;
  }

  close(): void {
    this.#cancelSaved();
  }

  protected async saved(act: () => Promise<unknown>): Promise<boolean> {
    const done = await this.attempt(async () => {
      await act();
      await this.parts.refresh();
      return true;
    });
    if (!done) return false;
    this.#cancelSaved();
    this.patch({ saved: true });
    this.#cancelSaved = this.parts.browser.clock.after(SAVED_MS, () => this.patch({ saved: false }));
    this.parts.changed();
    return true;
  }
}

export class ProfileModel extends SavingModel implements ProfileScreen {
  save({ name, mail, password }: { name: string; mail: string; password: string }): Promise<boolean> {
    const before = this.parts.account();
    const otherMail = mail.trim() !== (before?.mail ?? '');
    const change = {
      ...(name === before?.name ? {} : { name }),
      ...(otherMail ? { mail: mail.trim() } : {}),
      ...(otherMail && before?.password_changed_ms !== undefined ? { password } : {}),
    };
    return this.saved(() => this.parts.http.change(change));
  }

  setPicture(file: File): void {
    void this.saved(() => this.parts.http.setPicture(file));
  }

  removePicture(): void {
    void this.saved(() => this.parts.http.removePicture());
  }
}

export class PasswordModel extends SavingModel implements PasswordScreen {
  change(password: { current: string; new: string }): Promise<boolean> {
    return this.saved(() => this.parts.http.changePassword(password));
  }
}
