/** What screen readers are told without anybody moving the focus. One polite live region, drawn by `App.svelte`. */

let text = $state('');
let last = '';

export function announcement(): string {
  return text;
}

export function announce(next: string): void {
  // The same sentence twice in a row has to be a change, or it is not read again.
  last = next === last ? `${next}\u00a0` : next;
  text = last;
}
