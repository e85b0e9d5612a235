/** English: the app as a thing that is installed, gets newer, and is sometimes without a connection. */
export const enApp = {
  'shell.update': 'New version ready',
  'shell.reload': 'Reload',
  'shell.updating': 'The new version is loading …',
  'shell.install': '{house} as an app on this device: faster to open, with its own icon.',
  'shell.install_do': 'Install',
  'shell.install_ios': 'As an app: tap Share, then “Add to Home Screen”.',
  'shell.install_firefox': 'As an app: open the browser’s menu and tap “Add app to Home screen”.',
  'shell.not_now': 'Not now',
  'shell.understood': 'OK',
  'offline.title': 'No connection',
  'offline.hint': 'As soon as {house} can be reached again, it goes on here by itself.',
  'inside.open': 'Open in the browser',
  'inside.copy': 'Copy the link and paste it into Safari',
  'inside.hint':
    'This page is open inside another app that gives no camera and no microphone. In the browser both work.',

  'policy.minimum_version': 'Oldest version of the app',
  'policy.minimum_version_hint':
    'Older ones update by themselves as soon as they are not in a call. Empty: all are welcome.',
} as const;
