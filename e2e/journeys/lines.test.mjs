/** What is said of a connection, where it is bad: axe finds nothing, and the German words fit on a phone. */

import { journeys } from '../harness/journey.mjs';
import { byAxe, onPhone, walkTogether } from '../harness/looks.mjs';
import { ownNetwork } from '../harness/netem.mjs';
import { linesTour } from '../harness/tour_lines.mjs';

if (await ownNetwork(import.meta.url)) {
  const { journey, place } = journeys(import.meta.url, { line: true });

  journey('what is said of a bad line is for everybody to read', () =>
    walkTogether(place.house, [['en', byAxe], ['de', onPhone]], linesTour));
}
