"""Chromium as a viewer: a page with recvonly tracks, driven through Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

CHROMIUM = shutil.which("chromium") or ""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
SCRIPT = """
window.connections = 0;
window.offer = async (count) => {
  const pc = window.pc = new RTCPeerConnection({bundlePolicy: 'max-bundle'});
  window.connections += 1;
  window.videos = [];
  pc.ontrack = (event) => {
    const video = document.createElement('video');
    video.muted = true; video.autoplay = true; video.playsInline = true;
    video.srcObject = new MediaStream([event.track]);
    document.body.appendChild(video);
    window.videos.push(video);
  };
  for (let i = 0; i < count; i++) pc.addTransceiver('video', {direction: 'recvonly'});
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
};
window.accept = (sdp) => window.pc.setRemoteDescription({type: 'answer', sdp});
window.pictures = () => window.videos.map((video) => ({
  width: video.videoWidth, height: video.videoHeight, frames: video.getVideoPlaybackQuality().totalVideoFrames}));
window.follow = () => {  // keep the RTP timestamp of every frame that is shown from now on
  window.followed = [];
  const [video] = window.videos;
  const seen = (now, frame) => { window.followed.push(frame.rtpTimestamp); video.requestVideoFrameCallback(seen); };
  video.requestVideoFrameCallback(seen);
};
window.stats = async () => {
  const out = [];
  (await window.pc.getStats()).forEach((entry) => { if (entry.type === 'inbound-rtp') out.push(entry); });
  return out;
};
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Page]:
    """A page that can offer; skips the test where Chromium is missing, unless CI demands it."""
    if not CHROMIUM:
        assert not os.environ.get("CAMERA_HUB_REQUIRE_BROWSER"), "chromium is not installed"
        pytest.skip("chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            page = await _prepared(await browser.new_page())
            yield page
        finally:
            await browser.close()


async def another(page: Page) -> Page:
    """One more page that can offer, in the same browser."""
    browser = page.context.browser
    assert browser is not None
    return await _prepared(await browser.new_page())


async def _prepared(page: Page) -> Page:
    await page.set_content("<!doctype html><body></body>")
    await page.evaluate("() => {" + SCRIPT + "}")
    return page


async def pictures(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await page.evaluate("pictures()")
    return found
