// Write what the prelude's `Intl.Collator` knows of the order of letters, from the CLDR data of the node that runs this:
//   node tests/sandbox/make_locale_order.js > runtime/experience_runtime/sandbox/prelude/23_locale_order.js
// Everything is asked of node's collators: which letters are one letter with another mark, or in another case, and
// which stand between which. A character of no table is refused by the prelude.
'use strict'
const assert = require('assert')
const { literal } = require('./locale_files.js')
const UPPER = 8 // what a capital weighs; what stands between it and its small letter weighs less

const collators = (locale) => {
  const made = (sensitivity) => { const { compare } = new Intl.Collator(locale, { sensitivity, caseFirst: 'false' }); return (a, b) => Math.sign(compare(a, b)) }
  return { base: made('base'), accent: made('accent'), variant: made('variant') }
}
const root = collators('en')
const char = (code) => String.fromCodePoint(code)
const marked = (text) => text.normalize('NFD')
const isOther = (text) => !/\p{Assigned}/u.test(text) || /[\p{Cc}\p{Cs}\p{Co}]/u.test(text) || /[\u30fc\u309d\u309e\u30fd\u30fe\u013f\u0140\u1efa\u1efb]/.test(text)
function between (ranges) {
  const found = []
  for (const [from, to] of ranges) for (let code = from; code <= to; code++) if (!isOther(char(code)) && marked(char(code)) === char(code)) found.push(char(code))
  return found
}

const all = between([[0x09, 0x0d], [0x20, 0x2ff], [0x370, 0x52f], [0x1e00, 0x2bff], [0x3001, 0x3029], [0x3041, 0x30ff], [0x1f000, 0x1faff], [0xfb00, 0xfb06]])
  .concat('\t\n\v\f\r'.split(''))
const combining = between([[0x300, 0x36f], [0x483, 0x487], [0x20d0, 0x20f0], [0x3099, 0x309a]])
const controls = Array.from({ length: 0xa0 }, (_, code) => char(code)).filter(each => root.variant(each, '') === 0)
const nothing = controls.concat(all.filter(each => root.variant(each, '') === 0), '\u00ad\u200b\u200c\u200d\ufe0e\ufe0f'.split(''))
const marks = combining.filter(each => root.base('a' + each, 'a') === 0 && root.accent('a' + each, 'a') > 0).sort((a, b) => root.accent('a' + a, 'a' + b))
const markRank = {}
marks.forEach((each, index) => { markRank[each] = index > 0 && root.accent('a' + each, 'a' + marks[index - 1]) === 0 ? markRank[marks[index - 1]] : index })

// letters that are written with several, or with a mark that is no mark of Unicode's
const SPELLED = { æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', ß: 'ss', ẞ: 'SS' }
const composed = Array.from({ length: 0x2000 - 0xc0 }, (_, n) => char(0xc0 + n))
  .filter(each => !isOther(each) && marked(each).length === 2 && markRank[marked(each)[1]] !== undefined && root.base(each, marked(each)[0]) !== 0)
const letters = all.concat(composed).filter(each => !nothing.includes(each) && root.base(each, '') !== 0).sort(root.variant)
const spelled = {}
const plain = []
for (const letter of letters) {
  const compatible = SPELLED[letter] || marked(letter.normalize('NFKD'))
  if (!composed.includes(letter) && compatible !== letter && root.base(letter, compatible) === 0) spelled[letter] = compatible
  else plain.push(letter)
}

// What differs as by a mark that comes after all marks of Unicode's is written with one of our own.
const ownMark = (rank) => char(0xe000 + rank)
const isAfterMarks = (letter, base, rest = '') => marks.every(each => root.accent(letter, base + each + rest) > 0)

// what begins with another letter is no letter of its own, and nothing tells here how it goes on
for (let at = plain.length - 1; at > 0; at--) {
  const before = plain[at - 1].toLowerCase()
  if (/[a-z]/.test(before) && root.base(before, plain[at]) !== 0 && root.base(plain[at], before + 'z') < 0) plain.splice(at, 1)
}

// groups of one letter in its variants
const groups = []
for (const letter of plain) {
  const last = groups[groups.length - 1]
  if (last !== undefined && root.base(last[0], letter) === 0) last.push(letter)
  else groups.push([letter])
}
const isCapital = (letter) => letter.toLowerCase() !== letter && [...letter.toLowerCase()].length === 1
const isCapitalOf = (letter, base) => letter.toLowerCase() === base && isCapital(letter)
const others = {} // {letter: [what it is written with, its weight]}
const refused = new Set()
for (const [base, ...more] of groups) {
  let weight = 0
  let own = -1
  let before = base
  for (const letter of more) {
    if (isCapitalOf(letter, base)) { weight = UPPER; continue }
    if (root.accent(letter, base) === 0) { others[letter] = [base, ++weight]; continue }
    const mark = marks.find(each => root.accent(letter, base + each) === 0)
    if (mark === undefined && isAfterMarks(letter, base)) {
      if (root.accent(before, letter) !== 0) own++
      others[letter] = [(isCapital(letter) ? base.toUpperCase() : base) + ownMark(own), isCapital(letter) ? 0 : root.accent(before, letter) !== 0 ? 0 : others[before][1] + 1]
      before = letter
    } else if (mark === undefined) refused.add(letter)
    else if (root.variant(letter, base + mark) === 0) others[letter] = [base + mark, 0]
    else if (isCapital(letter) && root.variant(letter, base.toUpperCase() + mark) === 0) others[letter] = [base.toUpperCase() + mark, 0]
    else others[letter] = [base + mark, isCapital(letter) ? UPPER : 1]
  }
}
for (const [letter, text] of Object.entries(spelled)) {
  const parts = [...text]
  if ([...parts].some(each => !plain.includes(each) && markRank[each] === undefined)) { refused.add(letter); continue }
  const capital = parts.map(each => each.toUpperCase()).join('')
  if (root.accent(letter, text) === 0) others[letter] = [text, root.variant(letter, text) === 0 ? 0 : root.variant(letter, capital) < 0 && capital !== text ? 4 : 9]
  else {
    // as æ: a mark after its first part
    const mark = marks.find(each => root.accent(letter, parts[0] + each + parts.slice(1).join('')) === 0)
    if (mark === undefined && isAfterMarks(letter, parts[0], parts.slice(1).join(''))) others[letter] = [parts[0] + ownMark(0) + parts.slice(1).join(''), 0]
    else if (mark === undefined) refused.add(letter)
    else others[letter] = [parts[0] + mark + parts.slice(1).join(''), root.variant(letter, parts[0] + mark + parts.slice(1).join('')) === 0 ? 0 : 4]
  }
}
for (const letter of 'ǅǈǋǲ') delete others[letter] // half capital, half small
for (const letter of refused) if (process.env.SAY) console.error('refused', letter, letter.codePointAt(0).toString(16))

// [first code, how many, first rank, …] by code: runs of letters whose ranks follow each other
const ranks = new Map()
groups.forEach(([base], index) => ranks.set(base.codePointAt(0), index + 1))
const runs = []
for (const code of [...ranks.keys()].sort((a, b) => a - b)) {
  const last = runs[runs.length - 1]
  if (last !== undefined && last[0] + last[1] === code && last[2] + last[1] === ranks.get(code)) last[1]++
  else runs.push([code, 1, ranks.get(code)])
}

assert(groups.length > 1000)
process.stdout.write(`// What \`Intl\` knows of the order of letters: characters in runs [first, how many, first rank], what others are
// written with and weigh, what counts for nothing, marks in their order, and letters of their own that are
// written with a mark.
// Written by tests/sandbox/make_locale_order.js from CLDR ${process.versions.cldr}.
(function (kit) {
  'use strict'
  kit.letterOrder = kit.record({
    runs: '${JSON.stringify(runs.flat())}',
    others: ${literal(JSON.stringify(others))},
    composed: ${literal(JSON.stringify(composed.filter(each => ranks.has(each.codePointAt(0))).join('')))},
    nothing: ${literal(JSON.stringify(nothing.join('')))},
    marks: ${literal(JSON.stringify(marks.map(each => [each, markRank[each]]).flat()))}
  })
})
`)
