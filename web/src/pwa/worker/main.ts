/** The service worker, `/sw.js`: what runs for the app beside its pages. Wiring only; built by `build/worker.ts`. */

import { answerClicks } from './clicks.ts';
import { listenForPush } from './push.ts';
import { type Build, keepShell } from './shell.ts';

declare const self: ServiceWorkerGlobalScope;
/** Put in by the build. */
declare const STUBE_BUILD: Build;

keepShell(self, STUBE_BUILD);
answerClicks(self);
listenForPush(self);
