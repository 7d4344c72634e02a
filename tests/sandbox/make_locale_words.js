// Write what the prelude's `Intl` knows of the words around numbers, from the CLDR data of the node that runs this:
//   cat $(python -c 'import tzdata; print(tzdata.__path__[0])')/zones |
//     node tests/sandbox/make_locale_words.js > runtime/experience_runtime/sandbox/prelude/23_locale_words.js
// Every row is learned from samples, and has to give all of them again.
'use strict'
const assert = require('assert')
const { readFileSync } = require('fs')
const { LOCALES, written } = require('./locale_files.js')
const NUMBER = ['integer', 'group', 'decimal', 'fraction']

function template (parts) {
  let text = ''
  for (const { type, value } of parts) text += !NUMBER.includes(type) ? value : text.includes('{}') ? '' : '{}'
  return text
}
const count = (parts) => parts.filter(part => NUMBER.includes(part.type)).map(part => part.type === 'decimal' ? '.' : part.type === 'group' ? '' : part.value).join('')
// a form is left out that says what the other numbers' says; one alone stands for all
function simple (forms) {
  const kept = Object.fromEntries(Object.entries(forms).filter(([name, text]) => name === 'other' || text !== forms.other))
  const names = Object.keys(kept)
  return names.length === 1 && names[0] !== '=1' ? kept[names[0]] : kept
}

// compact: [[digits from, digits cut, text or {category: text}], …], the fewest digits first
function compact (locale, compactDisplay) {
  const format = new Intl.NumberFormat(locale, { notation: 'compact', compactDisplay })
  const fine = new Intl.NumberFormat(locale, { notation: 'compact', compactDisplay, minimumFractionDigits: 1 })
  const rules = new Intl.PluralRules(locale)
  const rows = []
  for (let power = 3; power < 20; power++) {
    const forms = {}
    const cuts = new Set()
    for (const mantissa of [1, 1.1, 1.2, 2, 2.2, 2.5, 3, 5, 8, 1.01, 1.02, 1.12, 1.22, 9]) {
      const parts = format.formatToParts(mantissa * 10 ** power)
      const shown = count(parts)
      if (shown !== '') cuts.add(power + 1 - shown.split('.')[0].length)
      // 'mille' stands without a number: for what is one, or for what is written '1'
      const category = shown !== '' ? rules.select(Number(shown)) : count(fine.formatToParts(10 ** power)) === '' ? '=1' : 'one'
      const text = template(parts)
      assert(forms[category] === undefined || forms[category] === text, `${locale} ${power} ${category}`)
      forms[category] = text
    }
    assert.equal(cuts.size, 1)
    const [cut] = cuts
    const last = rows[rows.length - 1]
    const agrees = last !== undefined && last[1] === cut && Object.keys(forms).every(name => last[2][name] === undefined || last[2][name] === forms[name])
    if (agrees) Object.assign(last[2], forms)
    else rows.push([power, cut, forms])
  }
  return rows.filter(row => row[1] > 0).map(([power, cut, forms]) => [power, cut, simple(forms)])
}

// money: the locale whose amounts have the order of compact ones here, and the sign where it stands before all of it
function money (locale) {
  const order = (other, amount, options) => template(new Intl.NumberFormat(other, { style: 'currency', currency: 'EUR', ...options }).formatToParts(amount)
    .filter(part => part.type !== 'compact')).trim().replace(/\s+/g, '\u00a0')
  const compact = { notation: 'compact' }
  const found = [locale, ...LOCALES].find(other => order(other, 2e6) === order(locale, 2e6, compact))
  const below = order(locale, -2e6, compact)
  const sign = below === order(found, -2e6) ? '' : below[0]
  if (sign !== '') assert.equal(below, sign + order(locale, 2e6, compact))
  return { as: found, sign }
}

// relative: {unit: [long, short, narrow]}, each [future, past, {"-1": "yesterday"}]; null for what the one before it says
const UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']
function relative (locale) {
  const rules = new Intl.PluralRules(locale)
  const found = {}
  for (const unit of UNITS) {
    found[unit] = []
    for (const style of ['long', 'short', 'narrow']) {
      const always = new Intl.RelativeTimeFormat(locale, { style })
      const auto = new Intl.RelativeTimeFormat(locale, { style, numeric: 'auto' })
      const forms = [{}, {}]
      for (const number of [0, 1, 2, 3, 5, 8, 1.5, 0.5, 11, 12, 21, 22, 25, 100, 101, 1000000, 2000000]) {
        for (const [index, sign] of [[0, 1], [1, -1]]) {
          const text = template(always.formatToParts(sign * number, unit))
          const category = rules.select(number)
          assert(forms[index][category] === undefined || forms[index][category] === text, `${locale} ${unit} ${number}`)
          forms[index][category] = text
        }
      }
      const words = {}
      for (let n = -3; n <= 3; n++) if (auto.format(n, unit) !== always.format(n, unit)) words[n] = auto.format(n, unit)
      found[unit].push([simple(forms[0]), simple(forms[1]), words])
    }
    for (const index of [2, 1]) if (JSON.stringify(found[unit][index]) === JSON.stringify(found[unit][index - 1])) found[unit][index] = null
  }
  return found
}

// list: of each type and style: [between two, after the first, between, before the last]; null for what the one before says
function list (locale) {
  const found = []
  for (const type of ['conjunction', 'disjunction', 'unit']) {
    for (const style of ['long', 'short', 'narrow']) {
      const format = new Intl.ListFormat(locale, { type, style })
      const [before, two, after] = format.format(['0', '1']).split(/[01]/)
      const [first, ...more] = format.format(['0', '1', '2', '3']).split(/[0123]/)
      assert(before === '' && after === '' && first === '' && more.pop() === '' && more.length === 3)
      found.push([two, ...more])
    }
  }
  return found.map((each, index) => index > 0 && JSON.stringify(each) === JSON.stringify(found[index - 1]) ? null : each)
}

// offset: what stands before it, the sign below, what stands between hours and minutes, and none, short and long
function offset (locale) {
  const of = (timeZoneName, timeZone) => new Intl.DateTimeFormat(locale, { timeZoneName, timeZone }).formatToParts(1.7e12).find(part => part.type === 'timeZoneName').value
  const none = of('shortOffset', 'UTC')
  const [, before, between] = of('longOffset', 'Asia/Kathmandu').match(/^(.*)\+05(.)45$/)
  const below = of('shortOffset', 'America/New_York').slice(before.length, -1)
  assert.equal(of('longOffset', 'America/St_Johns'), `${before}${below}03${between}30`)
  assert.equal(of('shortOffset', 'America/St_Johns'), `${before}${below}3${between}30`)
  assert.equal(of('shortOffset', 'Europe/Paris'), `${before}+1`)
  return [before, below, between, none, of('longOffset', 'UTC')]
}

// zones: {zones: {row: zones}, rows: [[year, short, long]], short: [{locale: {minutes ahead: name}}], long: [{minutes ahead: name}]}:
// the names that tell what the clocks there show, from that year (2020 at the earliest) to 2037, by their place in
// short and long; a long name is a place in longNames of a locale. Without a name a locale has the offset.
const FROM = 2020
const UNTIL = 2038
const LATEST = 2026 // who has other names since then has no row
const instants = []
for (let year = FROM; year < UNTIL; year++) for (let month = 0; month < 12; month++) instants.push(Date.UTC(year, month, 15))

function zones () {
  const found = {}
  const rowOf = new Map()
  const kept = { rows: [], short: [], long: [], longNames: [] }
  const placeIn = (list, value) => {
    const text = JSON.stringify(value)
    const at = list.findIndex(each => JSON.stringify(each) === text)
    return at >= 0 ? at : list.push(value) - 1
  }
  for (const zone of readFileSync(0, 'utf8').split(/\s+/).filter(Boolean)) {
    let canonical
    try { canonical = new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone } catch { continue }
    if (!rowOf.has(canonical)) rowOf.set(canonical, rowIn(kept, placeIn, canonical))
    const row = rowOf.get(canonical)
    found[row] = found[row] === undefined ? zone : found[row] + ' ' + zone
  }
  const { longNames, ...rest } = kept
  return [{ zones: found, ...rest }, Object.fromEntries(LOCALES.map((locale, index) => [locale, longNames.map(each => each[index])]))]
}

function rowIn (kept, placeIn, timeZone) {
  const short = namesIn(timeZone, 'short', 'shortOffset')
  const long = namesIn(timeZone, 'long', 'longOffset')
  const minutes = zoneMinutes(timeZone, instants)
  let year = FROM
  for (; year <= LATEST; year++) {
    const from = (year - FROM) * 12
    const shortNames = byMinutes(short, minutes, from)
    const longNames = byMinutes(long, minutes, from)
    if (shortNames === null || longNames === null) continue
    const some = {}
    for (const [at, names] of Object.entries(shortNames)) for (const [index, locale] of LOCALES.entries()) if (names[index] !== '') (some[locale] = some[locale] || {})[at] = names[index]
    const whole = {}
    for (const [at, names] of Object.entries(longNames)) if (names.some(Boolean)) whole[at] = placeIn(kept.longNames, names)
    return placeIn(kept.rows, [year, placeIn(kept.short, some), placeIn(kept.long, whole)])
  }
  return -1
}

// -> of each instant the name in each locale, '' where it is the offset
function namesIn (timeZone, name, offset) {
  const said = (locale, timeZoneName) => {
    const format = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName, year: 'numeric' })
    return instants.map(at => format.formatToParts(at).find(part => part.type === 'timeZoneName').value)
  }
  const all = LOCALES.map(locale => {
    const plain = said(locale, offset)
    return said(locale, name).map((each, index) => each === plain[index] ? '' : each)
  })
  return instants.map((_, index) => all.map(each => each[index]))
}

// -> {minutes ahead: names} from an instant on, or null where the minutes do not tell them
function byMinutes (names, minutes, from) {
  const found = {}
  for (let index = from; index < names.length; index++) {
    const own = found[minutes[index]]
    if (own !== undefined && own.join('|') !== names[index].join('|')) return null
    found[minutes[index]] = names[index]
  }
  return found
}

function zoneMinutes (timeZone, instants) {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset', year: 'numeric' })
  return instants.map(at => {
    const [, sign, hours, minutes] = format.formatToParts(at).find(part => part.type === 'timeZoneName').value.match(/([+-])(\d\d):(\d\d)$/)
    return (sign === '-' ? -1 : 1) * (hours * 60 + Number(minutes))
  })
}

const TOPICS = { compact: locale => ({ short: compact(locale, 'short'), long: compact(locale, 'long'), money: money(locale) }), relative, list, offset }
const topics = Object.entries(TOPICS).map(([topic, make]) => [topic, Object.fromEntries(LOCALES.map(locale => [locale, make(locale)]))])
const [zoneRows, longNames] = zones()
process.stdout.write(written('localeWords', 'make_locale_words.js', `of the words around numbers, in lists and for zones.
// A locale has JSON, or the name of one that says the same: compact: the rows of powers of ten; relative: of each
// unit the three styles; list: what stands between items; offset: of zones; zones: {zones: {row: zones}, rows: [[since,
// place in short, place in long]], short: [{locale: {minutes: name}}], long: [{minutes: place in zoneNames}]}.`,
Object.fromEntries([...topics, ['zones', { all: zoneRows }], ['zoneNames', longNames]])))
