/** One browser among bots: more people than a browser could bring along, everybody seen and heard right. */

import { botNamed, crowd } from '../harness/crowd.mjs';
import { ANNA } from '../harness/house.mjs';
import { journeys } from '../harness/journey.mjs';

/** All are heard, though more than the usual number speak at a time. */
const { journey, person, place } = journeys(import.meta.url, { env: { STUBE__MEDIA__LOUDEST: '20' } });
/** More than the down slots of a browser's first offer. */
const COUNT = 8;

journey('one person sees and hears eight others', async () => {
  await place.house.addRoom(ANNA, 'public/Versammlung');
  const anna = await person(1);
  await anna.signInAt(ANNA, '/r/public/Versammlung');
  await anna.join();
  await anna.isInside();
  const end = await crowd(place.house, 'public/Versammlung', COUNT, 11);
  const bots = Array.from({ length: COUNT }, (_, index) => ({ name: botNamed(11 + index), equipment: { identity: 11 + index } }));
  await anna.hasTilesOf(...bots);
  await anna.sees(...bots);
  await anna.hears(...bots);
  await end();
  await anna.hasTilesOf();
});
