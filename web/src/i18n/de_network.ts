/** Deutsch: was an der Verbindung einer Besprechung nicht stimmt. */

import type { Texts } from './catalogue.ts';
import type { enNetwork } from './en_network.ts';

export const deNetwork: Texts<typeof enNetwork> = {
  'meeting.restarting': 'Der Server startet neu. Gleich sind Sie wieder dabei.',
  'meeting.obstructed':
    'Dieses Netz lässt weder Ton noch Bild durch. Versuchen Sie ein anderes, oder wenden Sie sich an dessen Betreiber.',
};
