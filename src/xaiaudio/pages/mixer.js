// Mixers of a page: each mixes the parts of a sound, and looks up what the network says of the mix.
// Several outputs of a notebook may bring this script: the first one is used.
(() => {
  "use strict";
  if (window.xaMixer) {
    window.xaMixer.scan();
    return;
  }
  const RAMP = 0.01; // seconds in which a level changes, so that it does not click
  const stops = new Set(); // of the mixers, to be called when another sound begins

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;

  // Decoded at the sound's own rate, the samples stay as they are.
  async function decode(data) {
    const context = new OfflineAudioContext(1, data.samples, data.rate);
    return Promise.all(
      data.sounds.map((sound) => (sound ? context.decodeAudioData(bytes(sound)) : null)),
    );
  }

  // The residual, which always sounds, and each part through its gain, added up.
  function connect(context, buffers, gains, scale, offset) {
    const out = context.createGain();
    out.gain.value = scale;
    out.connect(context.destination);
    const sources = [];
    const levels = buffers.map((buffer, number) => {
      const level = context.createGain();
      level.gain.value = number ? gains[number - 1] : 1;
      level.connect(out);
      if (buffer) {
        const source = context.createBufferSource();
        source.buffer = buffer;
        source.connect(level);
        sources.push(source);
      }
      return level;
    });
    const begin = context.currentTime;
    for (const source of sources) source.start(begin, offset);
    return { sources, levels: levels.slice(1), begin, out };
  }

  function set(root) {
    const data = JSON.parse(root.querySelector("script[data-mixer]").textContent);
    const find = (what) => root.querySelector(what);
    const parts = [...root.querySelectorAll("[data-part]")].map((row, number) => ({
      on: true,
      solo: false,
      level: 1,
      mark: root.querySelector(`[data-mark="${number}"]`),
      button: row.querySelector("[data-on]"),
      only: row.querySelector("[data-solo]"),
      slider: row.querySelector("[data-gain]"),
      output: row.querySelector("output"),
      row,
    }));
    const seek = find("[data-seek]");
    const play = find("[data-play]");
    const head = find(".xa-mixer-head");
    const seconds = data.samples / data.rate;
    let buffers = null;
    let context = null;
    let playing = null;
    let wanted = 0; // counts the wishes to play, so that one that was taken back does not sound
    let offset = 0;

    function gains() {
      const alone = parts.some((part) => part.solo);
      return parts.map((part) => ((alone ? part.solo : part.on) ? part.level : 0));
    }

    function show() {
      const now = gains();
      const on = now.map((gain) => gain >= 0.5);
      const row = on.reduce((sum, is, number) => sum + (is ? 2 ** number : 0), 0);
      const score = data.scores[row];
      const percent = `${Math.round(100 * score)}%`;
      find("[data-score]").textContent =
        `${data.target}: ${percent}. The network hears ${data.labels[data.heard[row]]}.`;
      find(".xa-mixer-meter span").style.width = `${100 * score}%`;
      const between = now.some((gain) => gain > 0 && gain < 1);
      find("[data-nearest]").textContent = between
        ? "Some levels lie between: this is the score with each part wholly on or off, whichever is nearer."
        : on.some(Boolean)
          ? ""
          : "All parts are off: this is the answer to silence, or to what lies in no part.";
      parts.forEach((part, number) => {
        part.button.setAttribute("aria-pressed", String(part.on));
        part.only.setAttribute("aria-pressed", String(part.solo));
        part.slider.value = String(Math.round(100 * part.level));
        part.output.textContent = `${Math.round(100 * part.level)}%`;
        part.mark.toggleAttribute("data-off", !on[number]);
      });
      if (playing) {
        const time = context.currentTime;
        playing.levels.forEach((level, number) => {
          level.gain.cancelScheduledValues(time);
          level.gain.setValueAtTime(level.gain.value, time);
          level.gain.linearRampToValueAtTime(now[number], time + RAMP);
        });
      }
    }

    function place(time) {
      offset = Math.min(Math.max(time, 0), seconds);
      seek.value = String(offset);
      seek.setAttribute("aria-valuetext", `${offset.toFixed(1)} of ${seconds.toFixed(1)} seconds`);
      head.style.left = `${(100 * offset) / seconds}%`;
    }

    function follow() {
      if (!playing) return;
      const time = playing.from + context.currentTime - playing.begin;
      if (time >= seconds) {
        stop();
        place(0);
        return;
      }
      place(time);
      requestAnimationFrame(follow);
    }

    function stop() {
      wanted += 1;
      play.textContent = "Play";
      if (!playing) return;
      for (const source of playing.sources) source.stop();
      playing.out.disconnect();
      playing = null;
    }

    async function start() {
      quiet(stop);
      wanted += 1;
      const wish = wanted;
      play.textContent = "Stop";
      context ??= new AudioContext({ sampleRate: data.rate });
      // Asked for before anything is waited for: browsers let sounds begin only upon a click.
      const ready = context.resume();
      buffers ??= await decode(data);
      await ready;
      if (wish !== wanted) return;
      if (offset >= seconds - 0.02) place(0);
      playing = connect(context, buffers, gains(), data.scale, offset);
      playing.from = offset;
      requestAnimationFrame(follow);
    }

    parts.forEach((part) => {
      part.button.addEventListener("click", () => {
        part.on = !part.on;
        show();
      });
      part.only.addEventListener("click", () => {
        part.solo = !part.solo;
        show();
      });
      part.slider.addEventListener("input", () => {
        part.level = Number(part.slider.value) / 100;
        show();
      });
      const choose = (chosen) => () => part.mark.toggleAttribute("data-chosen", chosen);
      for (const event of ["focusin", "pointerenter"]) part.row.addEventListener(event, choose(true));
      part.row.addEventListener("focusout", choose(false));
      part.row.addEventListener("pointerleave", () => {
        if (!part.row.contains(document.activeElement)) choose(false)();
      });
    });
    play.addEventListener("click", () => (play.textContent === "Stop" ? stop() : start()));
    find("[data-reset]").addEventListener("click", () => {
      for (const part of parts) Object.assign(part, { on: true, solo: false, level: 1 });
      show();
    });
    seek.addEventListener("input", () => {
      const was = Boolean(playing);
      if (was) stop();
      place(Number(seek.value));
      if (was) start();
    });
    stops.add(stop);
    place(0);
    show();

    // What would be heard with these gains, rendered at once: Float32Array (samples,).
    root.xaRender = async (levels = gains()) => {
      const offline = new OfflineAudioContext(1, data.samples, data.rate);
      connect(offline, await decode(data), levels, data.scale, 0);
      return (await offline.startRendering()).getChannelData(0);
    };
    root.xaGains = gains;
  }

  // Only one sound plays at a time, of mixers and of players.
  function quiet(but) {
    for (const stop of stops) if (stop !== but) stop();
    for (const other of document.querySelectorAll("audio")) other.pause();
  }
  document.addEventListener("play", () => stops.forEach((stop) => stop()), true);

  function scan() {
    for (const root of document.querySelectorAll(".xa-mixer:not([data-ready])")) {
      if (!root.querySelector("script[data-mixer]")) continue;
      root.setAttribute("data-ready", "");
      set(root);
    }
  }
  window.xaMixer = { scan };
  scan();
})();
