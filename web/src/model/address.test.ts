import { describe, expect, it } from 'vitest';
import { doorWishes, localPath, routeOf, signInPath } from './address.ts';

function route(url: string) {
  return routeOf(new URL(url, 'https://stube.example'));
}

describe('an address', () => {
  it.each([
    ['/', { page: 'home' }],
    ['/?open=call', { page: 'home', open: 'call' }],
    ['/?open=contacts', { page: 'home', open: 'contacts' }],
    ['/?open=safe', { page: 'home' }],
    ['/setup#abc-1', { page: 'setup', token: 'abc-1' }],
    ['/setup', { page: 'setup', token: undefined }],
    ['/sign-in', { page: 'sign_in', to: '/' }],
    ['/sign-in?to=%2Fr%2FK%25C3%25BCche', { page: 'sign_in', to: '/r/K%C3%BCche' }],
    ['/sign-in?to=https%3A%2F%2Fevil.example', { page: 'sign_in', to: '/' }],
    ['/sign-in?to=%2Foidc%2Fauthorize%3Fa%3D1%2526', { page: 'sign_in', to: '/oidc/authorize?a=1%26' }],
    ['/sign-in?to=%2Foidc%2Fauthorize%3Fa&again=1', { page: 'sign_in', to: '/oidc/authorize?a', again: true }],
    ['/sign-in?to=%2Fr%2Fx&again=1', { page: 'sign_in', to: '/r/x' }],
    ['/join#abc-_1', { page: 'join', token: 'abc-_1' }],
    ['/join#abc&mute=1', { page: 'join', token: 'abc' }],
    ['/join', { page: 'join', token: '' }],
    ['/r/K%C3%BCche#auto=2', { page: 'room', text: 'Küche' }],
    ['/r/public/a/b', { page: 'room', text: 'public/a/b' }],
    ['/r/%E0%A4%A', { page: 'room', text: undefined }],
    ['/sign-in?problem=denied', { page: 'sign_in', to: '/', refusal: 'denied' }],
    ['/sign-in?problem=%3Cscript%3E', { page: 'sign_in', to: '/', refusal: 'failed' }],
    ['/invite#abc', { page: 'invite', token: 'abc' }],
    ['/recover', { page: 'recover', token: undefined }],
    ['/account', { page: 'account' }],
    ['/admin', { page: 'admin', section: 'overview' }],
    ['/admin/groups', { page: 'admin', section: 'groups' }],
    ['/admin/people/u%201', { page: 'admin', section: 'people', id: 'u 1' }],
    ['/admin/overview', { page: 'not_found' }],
    ['/admin/', { page: 'not_found' }],
    ['/admin/nothing', { page: 'not_found' }],
    ['/admin/groups/x', { page: 'not_found' }],
    ['/admin/people/', { page: 'not_found' }],
    ['/admin/people/x/y', { page: 'not_found' }],
    ['/r/', { page: 'not_found' }],
    ['/nowhere', { page: 'not_found' }],
  ])('%s leads to %j', (url, expected) => {
    expect(route(url)).toEqual(expected);
  });

  it('survives the sign-in', () => {
    const to = '/r/public/100%20%25%20%3F%20%231';
    expect(route(signInPath(to))).toEqual({ page: 'sign_in', to });
    expect(signInPath('/')).toBe('/sign-in');
  });

  it.each(['//evil.example', '/\\evil.example', 'evil', 'javascript:alert(1)', '/sign-in?to=/', '/a\nb', null, ''])(
    'to come back to is never %j',
    (to) => {
      expect(localPath(to)).toBe('/');
    },
  );
});

describe('a fragment', () => {
  const nothing = { muteMicrophone: false, muteCamera: false };
  it.each([
    ['', nothing],
    ['#auto', { ...nothing, auto: 'audio' }],
    ['#auto=1', { ...nothing, auto: 'audio' }],
    ['#auto=2', { ...nothing, auto: 'video' }],
    ['#auto=0', nothing],
    ['#mute', { muteMicrophone: true, muteCamera: true }],
    ['#mute=1', { muteMicrophone: true, muteCamera: false }],
    ['#mute=2', { muteMicrophone: false, muteCamera: true }],
    ['#mute=3', { muteMicrophone: true, muteCamera: true }],
    ['#mute=x', nothing],
    ['#name=J%C3%BCrgen%20%26%20Co', { ...nothing, name: 'Jürgen & Co' }],
    ['#name=100%', { ...nothing, name: '100%' }],
    ['#auto=2&mute=1&name=a=b', { auto: 'video', muteMicrophone: true, muteCamera: false, name: 'a=b' }],
    ['#name=%20Eva%20%20B%20', { ...nothing, name: 'Eva B' }],
    ['#name=Anna%E2%80%AE', nothing],
    ['#name=Anna%E2%81%A6', nothing],
    ['#name=A%00nna', nothing],
    ['#name=A%0Bnna%7F', nothing],
    ['#name=A%E2%80%8Bnna', nothing],
    ['#name=%F3%A0%80%81Anna', nothing],
    [`#name=${'a'.repeat(65)}`, nothing],
    ['#other&auto=2', { ...nothing, auto: 'video' }],
  ])('%j asks for %j', (hash, expected) => {
    expect(doorWishes(hash)).toEqual(expected);
  });
});
