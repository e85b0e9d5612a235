/**
 * The description of the interface, read by a validator that nobody here wrote. That it is the one the server serves, tests
 * of the server say.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';

const FILE = new URL('../../docs/openapi.json', import.meta.url);

/** @param {Record<string, any>} document */
async function validated(document) {
  return new Validator().validate(structuredClone(document));
}

test('docs/openapi.json is OpenAPI 3.1, and not everything is', async () => {
  const document = JSON.parse(readFileSync(FILE, 'utf8'));
  assert.match(document.openapi, /^3\.1\./);
  const { valid, errors } = await validated(document);
  assert.equal(valid, true, JSON.stringify(errors, null, 2));
  assert.ok(Object.keys(document.paths).length > 50, 'whole');

  const silent = structuredClone(document);
  delete silent.paths['/api/v1/me'].get.responses['200'].description;
  assert.equal((await validated(silent)).valid, false);
});
