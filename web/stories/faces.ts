/** Made-up moving pictures: a head and shoulders in a room, one colour per person. */

import type { AudioSurface, VideoSurface } from '../src/model/screens.ts';

export const silence: AudioSurface = { attach: () => () => {} };

export function face(seed: number): VideoSurface {
  return {
    attach(element) {
      const stream = draw(seed).captureStream(5);
      element.srcObject = stream;
      element.muted = true;
      element.play().catch(() => {});
      return () => {
        element.srcObject = null;
        for (const track of stream.getTracks()) track.stop();
      };
    },
  };
}

export function slide(): VideoSurface {
  return {
    attach(element) {
      const canvas = sheet();
      const stream = canvas.captureStream(2);
      element.srcObject = stream;
      element.play().catch(() => {});
      return () => {
        element.srcObject = null;
      };
    },
  };
}

function draw(seed: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = 960;
  canvas.height = 540;
  const context = canvas.getContext('2d');
  const hue = (seed * 67) % 360;
  let frame = 0;
  const paint = () => {
    if (!context) return;
    const sway = Math.sin(frame++ / 6) * 6;
    context.fillStyle = `hsl(${hue} 22% 62%)`;
    context.fillRect(0, 0, 960, 540);
    context.fillStyle = `hsl(${hue} 18% 74%)`;
    context.fillRect(90, 60, 220, 260);
    context.fillStyle = `hsl(${(hue + 150) % 360} 30% 34%)`;
    context.beginPath();
    context.ellipse(480 + sway, 600, 250, 220, 0, 0, 7);
    context.fill();
    context.fillStyle = `hsl(${18 + ((seed * 11) % 16)} ${34 + ((seed * 7) % 20)}% ${42 + ((seed * 13) % 34)}%)`;
    context.beginPath();
    context.ellipse(480 + sway, 250, 105, 135, 0, 0, 7);
    context.fill();
    context.fillStyle = `hsl(${(seed * 37) % 50} 32% ${14 + ((seed * 9) % 30)}%)`;
    context.beginPath();
    context.ellipse(480 + sway, 160, 118, 74, 0, Math.PI, 0);
    context.fill();
    if (canvas.isConnected || frame < 400) setTimeout(paint, 200);
  };
  paint();
  return canvas;
}

function sheet(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = 1920;
  canvas.height = 1080;
  const context = canvas.getContext('2d');
  const paint = () => {
    if (!context) return;
    context.fillStyle = '#fff';
    context.fillRect(0, 0, 1920, 1080);
    context.fillStyle = '#223';
    context.font = '600 90px system-ui';
    context.fillText('Quarter in numbers', 140, 220);
    for (let bar = 0; bar < 8; bar++) {
      context.fillStyle = bar === 5 ? '#345a9a' : '#9fb3d1';
      context.fillRect(150 + bar * 200, 900 - (120 + ((bar * 97) % 430)), 130, 120 + ((bar * 97) % 430));
    }
    setTimeout(paint, 500);
  };
  paint();
  return canvas;
}
