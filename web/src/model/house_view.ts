/** The house and the signed-in person as every page shows them. Pure. */

import type { House, User } from '../protocol/generated.ts';
import { logoPath, picturePath } from './pictures.ts';
import type { HouseView, UserView } from './screens.ts';

export function houseView({ name, imprint_url, privacy_url, logo, open_house, user }: House): HouseView {
  return {
    name,
    ...(imprint_url ? { imprintUrl: imprint_url } : {}),
    ...(privacy_url ? { privacyUrl: privacy_url } : {}),
    ...(logo ? { logo: logoPath(logo) } : {}),
    ...(open_house ? { openHouse: true } : {}),
    ...(user ? { user: userView(user) } : {}),
  };
}

function userView({ id, username, name, admin, picture }: User): UserView {
  return { username, name, admin, ...(picture ? { picture: picturePath(id, picture) } : {}) };
}
