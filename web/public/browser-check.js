/* Plain ES5, loaded before the app: sets the theme without a flash, and tells a browser that is too old so in plain words. */
(function () {
  var root = document.documentElement;
  var language = 'zh-CN';
  try {
    var theme = window.localStorage.getItem('theme');
    if (theme === 'light') root.className = '';
    language = window.localStorage.getItem('language') || 'zh-CN';
    root.lang = language;
  } catch (error) {
    /* storage is switched off: the defaults hold */
  }

  var missing = [];
  function need(name, there) {
    if (!there) missing.push(name);
  }
  need('WebRTC', typeof window.RTCPeerConnection === 'function');
  need('WebRTC transceivers', typeof window.RTCPeerConnection === 'function' && 'addTransceiver' in window.RTCPeerConnection.prototype);
  need('codec preferences', typeof window.RTCRtpTransceiver === 'function' && 'setCodecPreferences' in window.RTCRtpTransceiver.prototype);
  need('video frame callbacks', typeof window.HTMLVideoElement === 'function' && 'requestVideoFrameCallback' in window.HTMLVideoElement.prototype);
  need('WebSocket', typeof window.WebSocket === 'function');
  need('ES2022', typeof Array.prototype.at === 'function' && typeof Object.hasOwn === 'function');
  need('modules', 'noModule' in document.createElement('script'));
  if (!missing.length) return;

  window.__browserTooOld = missing;
  function tell() {
    var zh = language !== 'en';
    var page = document.createElement('div');
    page.id = 'too-old';
    page.style.cssText = 'max-width:560px;margin:12vh auto 0;padding:0 24px;font:16px/1.75 "Microsoft YaHei","PingFang SC",sans-serif;color:#d7dade';
    function add(tag, text, css) {
      var element = document.createElement(tag);
      element.appendChild(document.createTextNode(text));
      element.style.cssText = css;
      page.appendChild(element);
    }
    add('h1', zh ? '浏览器版本过低' : 'This browser is too old', 'font-size:24px;font-weight:600;margin:0 0 16px');
    add('p', zh
      ? '本系统需要浏览器支持实时视频，当前浏览器无法播放。请改用以下任一浏览器：'
      : 'Live video needs functions that this browser lacks. Please use one of these:', 'margin:0 0 8px');
    add('p', zh
      ? 'Chrome 或 Edge 108 以上 · 360 安全浏览器 15 以上（极速模式）· Firefox 132 以上 · Safari 16 以上'
      : 'Chrome or Edge 108 or newer · 360 Browser 15 or newer (speed mode) · Firefox 132 or newer · Safari 16 or newer', 'margin:0 0 24px;font-weight:600');
    add('p', (zh ? '缺少的功能：' : 'Missing: ') + missing.join(', '), 'margin:0 0 4px;font-size:13px;color:#8f969e');
    add('p', (zh ? '当前浏览器：' : 'This browser: ') + navigator.userAgent, 'margin:0;font-size:13px;color:#8f969e;word-wrap:break-word');
    document.body.style.cssText = 'margin:0;background:#0c0d0f';
    document.body.innerHTML = '';
    document.body.appendChild(page);
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', tell);
  else tell();
})();
