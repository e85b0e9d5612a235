/** Bad lines between browser and server. First of all: the line is as bad as it says. */

import assert from 'node:assert/strict';
import { journeys } from '../harness/journey.mjs';
import { ownNetwork } from '../harness/netem.mjs';

if (await ownNetwork(import.meta.url)) {
  const { journey, place } = journeys(import.meta.url, { line: true });

  journey('the line is as bad as it says', async () => {
    const { line } = place;
    const between = (/** @type {number} */ low, /** @type {number} */ value, /** @type {number} */ high) =>
      assert.ok(low <= value && value <= high, `${value} is not from ${low} to ${high}`);

    const clean = await line.probe({ count: 50 });
    assert.equal(clean.lossPercent, 0);
    await line.is({ delay: 50, jitter: 10 });
    const slow = await line.probe({ count: 50, everyMs: 10 });
    // The later of packets in order wait for earlier ones: jitter adds to the delay.
    between(95, slow.medianMs, 170);

    await line.is({ loss: 10 }, {});
    between(6, (await line.probe({ count: 600, everyMs: 2 })).lossPercent, 14);
    await line.is({}, { burst: { enter: 3, leave: 25 } });
    between(6, (await line.probe({ count: 600, everyMs: 2 })).lossPercent, 18);

    await line.is({ only_loses: 'udp', loss: 100 });
    assert.equal((await line.probe({ count: 10 })).returned, 0);
    await line.is({ only_loses: 'tcp', loss: 100 });
    assert.equal((await line.probe({ count: 10 })).returned, 10);
    await line.is({ cut: true });
    assert.equal((await line.probe({ count: 10 })).returned, 0);
    assert.deepEqual((await line.counts()).to_near, { passed: 0, lost: 10, bytes: 0 });

    await line.is({ rate: 80, queue: 100 }, {});
    const narrow = await line.probe({ count: 400, everyMs: 1 });
    between(50, narrow.lossPercent, 95);
    between(80, narrow.round_trips_ms.at(-1) ?? 0, 200);
    await line.is({});
    await line.farMovesTo('198.18.0.77');
    assert.equal((await line.probe({ count: 10 })).returned, 10);
  });
}
