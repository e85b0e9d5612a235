/** The part of the photographs that needs a bad line, in a network of its own. Words after it as for `main.mjs`. */

import { ANNA } from '../harness/house.mjs';
import { Line, ownNetwork } from '../harness/netem.mjs';
import { linesTour } from '../harness/tour_lines.mjs';
import { LANGUAGES, photograph, taken } from './studio.mjs';

if (await ownNetwork(import.meta.url)) {
  const line = await Line.lay();
  for (const language of LANGUAGES) {
    await photograph('screenshots-lines', language, async (walk) => {
      await walk.house.setUp(ANNA);
      await linesTour(walk);
    }, line);
  }
  await line.takeUp();
  console.log(`${taken()} pictures over a line`);
}
