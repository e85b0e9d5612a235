/** Findings in the language of the screen. */

import type { Finding, RoomKind } from '../../model/connection/screens.ts';
import { duration, t } from '../language.svelte.ts';

/** `theirs`: read by an administrator, about somebody else. */
export function findingWords(finding: Finding, theirs: boolean): string {
  switch (finding.kind) {
    case 'loss': {
      const { line, percent, way } = finding;
      const words = line !== 'server' && theirs ? t(`connection.line_${line}_theirs`) : t(`connection.line_${line}`);
      return t(`connection.loss_${way}`, { line: words, percent });
    }
    case 'restarts':
      return t('connection.restarts', { count: finding.count });
    case 'slow':
      return t('connection.slow', { ms: finding.ms });
    case 'frozen':
      return t('connection.frozen', { time: duration(finding.seconds * 1_000) });
    case 'busy':
      return theirs ? t('connection.busy_theirs') : t('connection.busy');
    default:
      return t(`connection.${finding.kind}`);
  }
}

/** What often helps against what was found. A thin line loses packets too: then that is not the cause. */
export function adviceOn(findings: readonly Finding[]): string | undefined {
  const has = (kind: Finding['kind']) => findings.some((one) => one.kind === kind);
  if (has('narrow_up') || has('narrow_down')) return t('connection.tip_narrow');
  const loss = findings.find((one) => one.kind === 'loss');
  if (loss && loss.line !== 'server') return t(`connection.tip_${loss.line}`);
  return has('busy') ? t('connection.tip_busy') : undefined;
}

/** How long it was so; of what has no length, nothing. */
export function lastedWords(finding: Finding): string | undefined {
  if (!('seconds' in finding) || finding.kind === 'frozen') return undefined;
  return t('connection.lasted', { time: duration(finding.seconds * 1_000) });
}

/** Nothing to complain of. */
export function isFine(findings: readonly Finding[]): boolean {
  return findings.every(({ kind }) => kind === 'good' || kind === 'unknown');
}

/** Where it was. */
export function stayName({ room, kind }: { readonly room?: string; readonly kind: RoomKind }): string {
  if (kind === 'call') return t('connection.call');
  return room ?? t('connection.room_gone');
}
