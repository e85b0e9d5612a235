/** Which stays belong to which lines of the history, so that each line can say how its connection was. */

import type { ConnectionRecord } from '../../protocol/generated.ts';
import type { ConnectionsHttp } from '../../session/connections.ts';
import { connectionPath } from '../address.ts';
import { findings, recordsOf, worstOf } from './findings.ts';
import type { StayLine } from './screens.ts';

interface Line {
  readonly id: string;
  readonly startedAt: number;
  readonly durationMs?: number;
}

/** A stay may begin a little before its line, and outlast it. */
const SLACK_MS = 60_000;

export function lineOf(record: ConnectionRecord): StayLine {
  return { id: record.id, findings: findings(record.summary, record), path: connectionPath(record.id) };
}

/** By id of the line; lines without a connection have none. */
export async function staysOfLines(http: ConnectionsHttp, lines: readonly Line[]): Promise<Map<string, StayLine>> {
  const stays = new Map<string, StayLine>();
  const talked = lines.filter((line) => line.durationMs !== undefined);
  if (talked.length === 0) return stays;
  const since = Math.max(0, Math.min(...talked.map((line) => line.startedAt)) - SLACK_MS);
  const before = Math.max(...talked.map((line) => line.startedAt + (line.durationMs ?? 0))) + SLACK_MS + 1;
  const records = await allOf(http, since, before);
  for (const line of talked) {
    const worst = worstOf(recordsOf(line, records));
    if (worst) stays.set(line.id, lineOf(worst));
  }
  return stays;
}

/** So many come at once. Somebody who meets much in rooms with a name has more between two calls. */
const PAGE = 50;
const MOST_PAGES = 8;

async function allOf(http: ConnectionsHttp, since: number, before: number): Promise<ConnectionRecord[]> {
  const all: ConnectionRecord[] = [];
  for (let page = 0; page < MOST_PAGES; page++) {
    const { records } = await http.own({ since, before: all.at(-1)?.started_ms ?? before });
    all.push(...records);
    if (records.length < PAGE) break;
  }
  return all;
}

/** How long after its last sign a stay is the one that has just ended. */
const JUST_MS = 60_000;

export async function lastOwn(http: ConnectionsHttp): Promise<StayLine | undefined> {
  const { records, now_ms } = await http.own();
  const [last] = records;
  return last?.over && now_ms - last.ended_ms < JUST_MS ? lineOf(last) : undefined;
}
