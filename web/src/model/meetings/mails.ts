/** Mail addresses as people type and paste them, and drafts for their own mail program. Pure. */

const PLAIN = /^[^\s@,;<>"()[\]\\]+@[^\s@,;<>"()[\]\\]+\.[^\s@,;<>"()[\]\\.]+$/u;

/** Whether it can be one; the server looks more closely. */
export function isMail(text: string): boolean {
  return text.length <= 254 && PLAIN.test(text);
}

/**
 * What was typed so far, cut into what is complete and what is still being typed. Commas, semicolons and line breaks end
 * an address; a space does so after an address only, since names have spaces too.
 */
export function cut(text: string): { readonly done: readonly string[]; readonly rest: string } {
  const parts = text.split(/[,;\n\r]+|(?<=@[^\s,;]*)\s+/u);
  const rest = parts.pop() ?? '';
  return { done: parts.map(bare).filter((part) => part !== ''), rest: rest.trimStart() };
}

/** The address in `Anna <anna@example.org>`, or what there is. */
export function bare(text: string): string {
  return /<([^<>]*)>/u.exec(text)?.[1]?.trim() ?? text.trim();
}

/** RFC 6068: several addresses stand before the question mark, with commas between them. */
export function mailDraft(to: readonly string[], subject: string, body: string): string {
  const addresses = to.map((mail) => encodeURIComponent(mail).replaceAll('%40', '@')).join(',');
  const lines = body.replaceAll(/\r?\n/gu, '\r\n');
  return `mailto:${addresses}?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(lines)}`;
}
