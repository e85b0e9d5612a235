import { describe, expect, it } from 'vitest';
import { bare, cut, isMail, mailDraft } from './mails.ts';

describe('addresses', () => {
  it.each([
    ['anna@example.org', true],
    ['änne.o+stube@mail.exämple.org', true],
    ['anna', false],
    ['anna@example', false],
    ['anna@example.', false],
    ['a b@example.org', false],
    ['a@b@example.org', false],
    ['"a"@example.org', false],
  ])('%s: %s', (text, good) => {
    expect(isMail(text)).toBe(good);
  });

  it.each([
    ['anna@example.org', [], 'anna@example.org'],
    ['anna@example.org ', ['anna@example.org'], ''],
    ['anna@example.org,bernd', ['anna@example.org'], 'bernd'],
    ['a@x.org; b@x.org\nc@x.org ', ['a@x.org', 'b@x.org', 'c@x.org'], ''],
    ['Anna Mül', [], 'Anna Mül'],
    ['Anna <anna@example.org>, ', ['anna@example.org'], ''],
    [',;', [], ''],
    ['unsinn,', ['unsinn'], ''],
  ])('typed as %j', (text, done, rest) => {
    expect(cut(text)).toEqual({ done, rest });
  });

  it('stand bare', () => {
    expect(bare('"Anna, Ö." <anna@example.org>')).toBe('anna@example.org');
  });
});

describe('a draft', () => {
  it('has several addresses with commas, and everything else escaped', () => {
    const draft = mailDraft(
      ['anna+x@example.org', "o'neil&co@example.org"],
      'Küche & Bad?',
      'Zeile 1\nhttps://x/r/a%20b#c',
    );
    expect(draft).toBe(
      "mailto:anna%2Bx@example.org,o'neil%26co@example.org?subject=K%C3%BCche%20%26%20Bad%3F" +
        '&body=Zeile%201%0D%0Ahttps%3A%2F%2Fx%2Fr%2Fa%2520b%23c',
    );
    const url = new URL(draft);
    expect(url.searchParams.get('body')).toBe('Zeile 1\r\nhttps://x/r/a%20b#c');
  });

  it('without an address is still one', () => {
    expect(mailDraft([], 's', 'b')).toBe('mailto:?subject=s&body=b');
  });
});
