// Which of two texts comes first: Intl.Collator and localeCompare. A text's key has its letters, then its marks, then its
// capitals; what the tables do not know is refused. Source: reference/experiences#texts-for-people
(function (kit) {
  'use strict'
  const { locale, letter, refuse, shown, asObject, refuseOthers, own, getter, part, lower } = kit.texts
  const normalize = kit.method(String.prototype.normalize)
  const codePoint = kit.method(String.prototype.codePointAt)
  const charOf = String.fromCharCode
  const mapGet = kit.method(Map.prototype.get)
  const COMMON = 1 // what has no mark
  const MARKS = 20 // from here on; below stand the letters that a language puts beside another
  const OWN_MARKS = 10 // those of the tables alone, which stand on the letter itself
  const CAPITAL = 8
  const SMALL = 0
  const MIXED = 1
  const LARGE = 2
  const MOST_KEYS = 2000

  // What languages do otherwise: '<' a letter of its own after the one at the front ('!': before it), ',' beside the one
  // before as with a mark, '=' only after it, '>' written with, '?' refused. Capitals go with their letters.
  const NORDIC = 'd,đ,ð þ>th y,ü,ű '
  const RULES = kit.record({
    es: 'n<ñ',
    pl: 'a<ą c<ć e<ę l<ł n<ń o<ó s<ś z<ź<ż',
    cs: 'c<č h<ch r<ř s<š z<ž',
    tr: 'c<ç g<ğ !i<ı i=İ o<ö s<ş u<ü',
    sv: NORDIC + '!ǀ<å<ä,æ,ę<ö,ø,ő,œ,ô',
    da: NORDIC + '!ǀ<æ,ä<ø,ö,ő<å=aa',
    nb: NORDIC + '!ǀ<æ,ä,ę<ø,ö,ő,œ<å,aa',
    fi: 'đ? ǥ? ŋ? ŧ? ʒ? y,ü !ǀ<å<ä,æ<ö,ø'
  })
  const UNPLACED = kit.record({ 'ja-JP': true, 'zh-CN': true, 'ko-KR': true })
  const CAPITALS_FIRST = kit.record({ 'da-DK': true })
  const BACKWARDS = kit.record({ 'fr-CA': true }) // the last mark counts first

  // the tables, read when they are first asked for
  let runs = null
  let others = null
  let marks = null
  let nothing = ''
  function readTables () {
    runs = kit.parse(kit.letterOrder.runs)
    others = kit.record(kit.parse(kit.letterOrder.others))
    nothing = kit.parse(kit.letterOrder.nothing)
    const all = kit.parse(kit.letterOrder.marks)
    marks = kit.create(null)
    for (let at = 0; at < all.length; at += 2) marks[all[at]] = MARKS + all[at + 1]
  }

  // -> the rank of a letter; 0 for one that is not in the runs
  function rankOf (code) {
    let low = 0
    let high = runs.length / 3 - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (runs[3 * middle] <= code) low = middle
      else high = middle - 1
    }
    const within = code - runs[3 * low]
    return within >= 0 && within < runs[3 * low + 1] ? runs[3 * low + 2] + within : 0
  }
  const refuseLetter = (text) => refuse('nothing here knows where ' + shown(text) + ' comes; compare with < and >, which go by the characters\' numbers')
  const capitalOf = (text) => kit.upper(text) !== text || lower(text) === text ? null : lower(text)

  // An element of a key, as a list: what sorts first, its mark, its weight and its case.
  const element = (first, second, weight, kind) => kit.record({ first: first, second: second, weight: weight, kind: kind, next: null })

  // What one character is, without a language: a chain of elements; null for what counts for nothing.
  const known = kit.create(null)
  function elementOf (text) {
    if (known[text] !== undefined) return known[text]
    const made = makeElement(text)
    known[text] = made
    return made
  }
  function makeElement (text) {
    if (marks[text] !== undefined) return element('', marks[text], 0, SMALL)
    if (kit.indexOf(nothing, text) >= 0) return null
    const code = codePoint(text, 0)
    const rank = rankOf(code)
    if (rank > 0) return element(charOf(rank * 8), COMMON, 0, SMALL)
    if (code >= 0xac00 && code <= 0xd7a3) return element(charOf(hangul() * 8 + 7) + text, COMMON, 0, SMALL)
    const other = others[text]
    if (other !== undefined) return chain(other[0], other[1], capitalOf(text) === null ? SMALL : LARGE)
    const small = capitalOf(text)
    const base = small === null || small.length > 2 ? null : elementOf(small)
    if (base === null || base.next !== null || base.weight !== 0) refuseLetter(text)
    return element(base.first, base.second, CAPITAL, LARGE)
  }
  // Korean syllables come in the order of their numbers, before Japanese ones.
  const hangul = () => rankOf(0x3042) - 2

  // The elements of what a character is written with, all of its weight.
  function chain (text, weight, kind) {
    let first = null
    let last = null
    for (let at = 0; at < text.length;) {
      const each = charAt(text, at)
      at += each.length
      const code = kit.charCode(each, 0)
      if (code >= 0xe000 && code < 0xe100) {
        last.second = OWN_MARKS + code - 0xe000
        continue
      }
      const of = elementOf(each)
      const made = element(of.first, of.second, weight || of.weight, kind || of.kind)
      if (first === null) first = made
      else last.next = made
      last = made
    }
    return first
  }
  const charAt = (text, at) => text[at] >= '\ud800' && text[at] < '\udc00' ? kit.slice(text, at, at + 2) : text[at]

  // --- languages

  const REFUSED = element('', 0, 0, SMALL)

  // -> {text: element}, and the longest text in it
  const languages = kit.create(null)
  function languageOf (name) {
    const language = kit.slice(name, 0, 2)
    if (languages[language] === undefined) languages[language] = ruled(RULES[language] || '')
    return languages[language]
  }
  function ruled (rules) {
    const found = kit.record({ longest: 0, starts: kit.create(null), of: kit.create(null) })
    const put = (text, made) => {
      const written = normalize(text, 'NFD')
      if (written.length > found.longest) found.longest = written.length
      found.of[written] = made
      found.starts[written[0]] = true
    }
    const composed = kit.parse(kit.letterOrder.composed) // the й of и
    for (let index = 0; index < composed.length; index++) {
      const first = charOf(rankOf(codePoint(composed[index], 0)) * 8)
      put(composed[index], element(first, COMMON, 0, SMALL))
      put(kit.upper(composed[index]), element(first, COMMON, CAPITAL, LARGE))
    }
    let at = 0
    while (at < rules.length) {
      let until = kit.indexOf(rules, ' ', at)
      if (until < 0) until = rules.length
      rule(kit.slice(rules, at, until), put)
      at = until + 1
    }
    return found
  }
  function rule (text, put) {
    const isBefore = text[0] === '!'
    const base = text[isBefore ? 1 : 0]
    let at = isBefore ? 2 : 1
    let first = kit.charCode(elementOf(base).first, 0) - (isBefore ? 8 : 0)
    let second = COMMON
    let weight = 0
    while (at < text.length) {
      const sign = text[at]
      let until = at + 1
      while (until < text.length && kit.indexOf('<,=>?', text[until]) < 0) until++
      const item = kit.slice(text, at + 1, until)
      at = until
      if (sign === '?') {
        put(base, REFUSED)
        put(kit.upper(base), REFUSED)
        return
      }
      if (sign === '>') {
        put(base, chain(item, 1, SMALL))
        put(kit.upper(base), chain(kit.upper(item[0]) + kit.slice(item, 1), CAPITAL + 1, LARGE))
        continue
      }
      if (sign === '<') {
        first++
        second = COMMON
      }
      if (sign === ',') second++
      weight = sign === '=' ? CAPITAL : 0
      const form = (written, kind) => put(written, element(charOf(first), second, weight++, kind))
      if (item === 'İ') form(item, LARGE)
      else if (item.length === 1) {
        form(item, SMALL)
        weight = CAPITAL
        form(kit.upper(item), LARGE)
      } else {
        if (sign === '=') weight++
        form(item, SMALL)
        if (item[0] !== item[1]) form(item[0] + kit.upper(item[1]), MIXED)
        form(kit.upper(item[0]) + item[1], MIXED)
        form(kit.upper(item), LARGE)
      }
    }
  }

  // --- keys

  const isDigit = (text, at) => text[at] >= '0' && text[at] <= '9'

  // {first, second, third, capitals}: texts that are compared one after the other
  function keyOf (format, text) {
    const found = mapGet(format.keys, text)
    if (found !== undefined) return found
    if (runs === null) readTables()
    const language = languageOf(format.locale)
    if (kit.matches(CATALAN, text)) refuseLetter('l\u00b7')
    const all = kit.matches(SYLLABLES, text) ? apart(text) : normalize(text, 'NFD')
    const key = kit.record({ first: '', second: '', third: '', capitals: '' })
    for (let at = 0; at < all.length;) {
      if (format.numeric && isDigit(all, at)) {
        at = addNumber(key, format, all, at)
        continue
      }
      let letter = all[at]
      if (letter >= '\ud800' && letter < '\udc00') letter = kit.slice(all, at, at + 2)
      let made = known[letter]
      let length = letter.length
      if (language.starts[letter] !== undefined) {
        for (length = language.longest; length > 0; length--) {
          made = language.of[kit.slice(all, at, at + length)]
          if (made !== undefined && at + length <= all.length) break
        }
        if (made === REFUSED || hasLaterMark(language, all, at, length)) refuseLetter(kit.slice(all, at, at + 3))
        if (length === 0) {
          made = known[letter]
          length = letter.length
        }
      }
      if (made === undefined) made = elementOf(letter)
      for (let each = made; each !== null; each = each.next) add(key, format, each)
      at += length
    }
    if (format.isBackwards) key.second = backwards(key.second)
    if (kit.mapSize(format.keys) >= MOST_KEYS) format.keys = new kit.Map()
    kit.mapSet(format.keys, text, key)
    return key
  }
  const CATALAN = /l\u00b7/i
  const SYLLABLES = /[\uac00-\ud7a3]/
  function apart (text) { // Korean syllables stay whole
    let written = ''
    for (let at = 0; at < text.length; at++) written += kit.matches(SYLLABLES, text[at]) ? text[at] : text[at] < '\u0300' ? normalize(text[at], 'NFD') : text[at]
    return written
  }
  function backwards (text) {
    let written = ''
    for (let at = text.length - 1; at >= 0; at--) written += text[at]
    return written
  }

  // Whether a mark that makes another letter of this one stands behind other marks, as in 'ậ'.
  function hasLaterMark (language, all, at, length) {
    for (let next = at + (length < 2 ? 2 : length); next < all.length && marks[all[next]] !== undefined; next++) {
      if (marks[all[next - 1]] !== undefined && language.of[all[at] + all[next]] !== undefined) return true
    }
    return false
  }
  function add (key, format, each) {
    key.first += each.first
    if (format.sensitivity === 'base') return
    key.second += charOf(each.second)
    if (format.caseFirst === 'false') key.third += charOf(each.weight + 1)
    else key.third += charOf(each.weight + 1 + 100 * kindOf(format, each))
    if (each.first !== '' && format.sensitivity === 'case') key.capitals += kindOf(format, each)
  }
  const kindOf = (format, each) => format.caseFirst === 'upper' ? LARGE - each.kind : each.kind
  // A number's length comes before its digits.
  function addNumber (key, format, text, from) {
    let at = from
    while (text[at] === '0' && isDigit(text, at + 1)) at++
    let until = at
    while (until < text.length && isDigit(text, until)) until++
    key.first += elementOf('0').first + charOf(until - at) + kit.slice(text, at, until)
    key.second += charOf(COMMON)
    key.third += charOf(1 + (format.caseFirst === 'upper' ? 100 * LARGE : 0))
    key.capitals += format.caseFirst === 'upper' ? LARGE : SMALL
    return until
  }

  const order = (a, b) => a === b ? 0 : a < b ? -1 : 1
  function compare (format, one, other) {
    if (one === other) return 0
    const a = keyOf(format, one)
    const b = keyOf(format, other)
    const found = order(a.first, b.first)
    if (found !== 0 || format.sensitivity === 'base') return found
    if (format.sensitivity === 'case') return order(a.capitals, b.capitals)
    return order(a.second, b.second) || (format.sensitivity === 'accent' ? 0 : order(a.third, b.third))
  }

  // --- what there is to call

  const SENSITIVITIES = kit.record({ base: 'base', accent: 'accent', case: 'case', variant: 'variant' })
  const CASES = kit.record({ upper: 'upper', lower: 'lower', false: 'false' })
  const OTHERS = kit.record({ usage: 'sort', ignorePunctuation: false, collation: 'default', localeMatcher: undefined })
  function collator (locales, given) {
    const name = locale(locales)
    if (UNPLACED[name]) {
      refuse('the order of letters in ' + name + ' is not supported; write a locale of another language, such as "en-US", or compare with < and >')
    }
    const options = asObject(given)
    refuseOthers(options, OTHERS)
    return kit.record({
      locale: name,
      sensitivity: letter(options, 'sensitivity', SENSITIVITIES) || 'variant',
      numeric: options.numeric !== undefined && !!options.numeric,
      caseFirst: letter(options, 'caseFirst', CASES) || (CAPITALS_FIRST[name] ? 'upper' : 'false'),
      isBackwards: BACKWARDS[name] === true,
      keys: new kit.Map()
    })
  }

  const collators = part('Collator', collator)
  getter(collators, 'compare', function () {
    const format = own(this, 'Collator')
    return (one, other) => compare(format, kit.String(one), kit.String(other))
  })
  kit.hidden(collators, 'resolvedOptions', function resolvedOptions () {
    const format = own(this, 'Collator')
    return {
      locale: format.locale, usage: 'sort', sensitivity: format.sensitivity, ignorePunctuation: false, collation: 'default',
      numeric: format.numeric, caseFirst: format.caseFirst
    }
  })

  const plain = kit.create(null) // {name of a locale: its collator without options}
  kit.hidden(String.prototype, 'localeCompare', kit.record({ localeCompare (other) {
    if (this === undefined || this === null) throw new kit.TypeError('there is no text to compare')
    const locales = arguments[1]
    const given = arguments[2]
    if (given !== undefined) return compare(collator(locales, given), kit.String(this), kit.String(other))
    const name = locale(locales)
    if (plain[name] === undefined) plain[name] = collator(name, undefined)
    return compare(plain[name], kit.String(this), kit.String(other))
  } }).localeCompare)
})
