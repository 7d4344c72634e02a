// Time and chance come from the host: Date and performance stand still within a turn, timers fire when the host
// says so, Math.random is seeded. Local time is the visitor's: see 21_date.js.
(function (kit) {
  'use strict'
  let origin = 0
  kit.now = 0
  kit.setNow = function (now) {
    if (origin === 0) origin = now
    kit.now = now
  }

  // The zone's offsets near this run, and all of them: each is read when local time there is first asked for.
  let zoneText = '[0,0,0]\n[0]'
  let near = null
  let all = null
  kit.setZone = function (name, text) {
    kit.zoneName = name
    zoneText = text
    near = all = null
  }
  // -> {from, until, table, first}: the offsets that hold at this instant, from the table's `first` on
  kit.zoneRules = function (minutes) {
    if (near === null) {
      const table = kit.parse(kit.slice(zoneText, 0, kit.indexOf(zoneText, '\n')))
      near = kit.record({ from: table[0], until: table[1], table: table, first: 2 })
    }
    if (minutes >= near.from && minutes < near.until) return near
    if (all === null) {
      const table = kit.parse(kit.slice(zoneText, kit.indexOf(zoneText, '\n') + 1))
      all = kit.record({ from: -Infinity, until: Infinity, table: table, first: 0 })
    }
    return all
  }
  // Other zones, those that the experience names: {"asia/tokyo": ["Asia/Tokyo", offset, change, offset, …]}.
  let othersText = ''
  let others = null
  kit.setOtherZones = function (text) {
    othersText = text === undefined ? '' : text
    others = null
  }
  // -> the list of a zone by its name in small letters; null for one that nobody told of
  kit.otherZone = function (name) {
    if (othersText === '') return null
    if (others === null) others = kit.parse(othersText)
    const found = kit.descriptor(others, name)
    return found === undefined ? null : found.value
  }
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
  kit.random = random

  function random () {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4294967296
  }
})
