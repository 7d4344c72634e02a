// Time and chance come from the host: Date and performance stand still within a turn, timers fire when the host
// says so, Math.random is seeded. Local time is the visitor's: see lazy/date.js.
(function (kit) {
  'use strict'
  let origin = 0
  kit.now = 0
  kit.setNow = function (now) {
    if (origin === 0) origin = now
    kit.now = now
  }

  // Date and Intl are made when the guest first names them: most runs never do, and they cost more than all the rest.
  function onFirstUse (name) {
    const become = (value) => {
      kit.hidden(kit.global, name, value)
      return value
    }
    kit.define(kit.global, name, {
      __proto__: null, get: () => become(kit.part('date')[name]), set: become, enumerable: false, configurable: true
    })
  }
  onFirstUse('Date')
  onFirstUse('Intl')
  kit.hidden(kit.global, 'performance', { now: function now () { return kit.now - origin }, get timeOrigin () { return origin } })

  // sfc32: small, fast, passes PractRand; four words of seed.
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  kit.seed = function (words) {
    a = words[0] | 0
    b = words[1] | 0
    c = words[2] | 0
    d = words[3] | 0
    for (let round = 0; round < 12; round++) random() // a seed of few bits spreads over the state
  }
  kit.hidden(Math, 'random', random)

  function random () {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4294967296
  }

  // Timers are made when the first one is set.
  let timers = null
  const start = function (fn, delay, args, every) {
    if (timers === null) timers = kit.part('timers')
    return timers.start(fn, delay, args, every)
  }
  const clear = function (id) { if (timers !== null) timers.remove(id) }
  kit.hidden(kit.global, 'setTimeout', function setTimeout (fn, delay, ...args) { return start(fn, delay, args, false) })
  kit.hidden(kit.global, 'setInterval', function setInterval (fn, delay, ...args) { return start(fn, delay, args, true) })
  kit.hidden(kit.global, 'clearTimeout', clear)
  kit.hidden(kit.global, 'clearInterval', clear)
  kit.hidden(kit.global, 'queueMicrotask', function queueMicrotask (fn) {
    if (typeof fn !== 'function') throw new kit.TypeError('queueMicrotask needs a function, not ' + kit.word(fn))
    kit.queueMicrotask(() => kit.guarded('microtask', fn, []))
  })
  kit.startTimer = (fn, delay) => start(fn, delay, [], false)
  kit.clearTimer = clear
  kit.nextTimerAt = () => timers === null ? null : timers.nextAt()
  kit.takeDueTimer = () => timers === null ? null : timers.takeDue()
})
