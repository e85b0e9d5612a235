/** What is said of a connection, where it is bad: axe finds nothing, and the German words fit on a phone. */

import { journeys } from '../harness/journey.mjs';
import { byAxe, onPhone, walk } from '../harness/looks.mjs';
import { ownNetwork } from '../harness/netem.mjs';
import { linesTour } from '../harness/tour_lines.mjs';

if (await ownNetwork(import.meta.url)) {
  const { journey, place } = journeys(import.meta.url, { line: true });

  for (const [language, look] of /** @type {const} */ ([['en', byAxe], ['de', onPhone]])) {
    journey(`what is said of a bad line in ${language} is for everybody to read`, () => walk(place.house, language, linesTour, look));
  }
}
