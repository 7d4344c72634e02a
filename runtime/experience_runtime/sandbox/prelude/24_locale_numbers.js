// Numbers as locales write them: Intl.NumberFormat and the toLocaleString of numbers.
(function (kit) {
  'use strict'
  const { locale, dataOf, asObject, letter, refuseOthers, refuse, shown, own, getter, part } = kit.texts

  const NUMBER_STYLES = kit.record({ decimal: 'decimal', percent: 'percent', currency: 'currency' })
  const GROUPINGS = kit.record({ auto: 'auto', always: 'always', min2: 'min2', true: 'auto', false: 'auto' })
  const NOTATIONS = kit.record({ standard: 'standard', compact: 'compact' })
  const DISPLAYS = kit.record({ short: 'short', long: 'long' })
  const NUMBER_OTHERS = kit.record({
    unit: undefined, unitDisplay: 'short', currencyDisplay: 'symbol', currencySign: 'standard', signDisplay: 'auto',
    minimumSignificantDigits: undefined, maximumSignificantDigits: undefined, roundingMode: 'halfExpand', roundingIncrement: 1,
    roundingPriority: 'auto', trailingZeroDisplay: 'auto', numberingSystem: 'latn'
  })

  function digits (options, name, least, most, otherwise) {
    const value = options[name]
    if (value === undefined) return otherwise
    const number = kit.Number(value)
    if (!(number >= least && number <= most)) refuse(name + ' ' + shown(value) + ' is out of range; write ' + least + ' to ' + most)
    return number - number % 1
  }

  function numberFormat (locales, given) {
    const name = locale(locales)
    const options = asObject(given)
    refuseOthers(options, NUMBER_OTHERS)
    const style = letter(options, 'style', NUMBER_STYLES) || 'decimal'
    const numbers = dataOf(name).numbers
    const format = kit.record({ locale: name, style: style, how: numbers[style], currency: undefined, plus: numbers[style].plus, minus: numbers[style].minus, nan: numbers.nan, grouping: 'auto', money: null })
    let least = 0
    let most = style === 'percent' ? 0 : 3
    if (style === 'currency') {
      const currency = options.currency
      if (currency === undefined) throw new kit.TypeError("style 'currency' needs a currency, such as { style: 'currency', currency: 'EUR' }")
      const found = typeof currency === 'string' ? numbers.currencies[kit.upper(currency)] : undefined
      if (found === undefined) {
        let may = ''
        for (const each in numbers.currencies) may += (may === '' ? '' : ', ') + each
        refuse('the currency ' + shown(currency) + ' is not supported for ' + name + '; write one of ' + may)
      }
      format.currency = kit.upper(currency)
      least = most = found[0]
      format.plus = found[1]
      format.minus = found[2]
    }
    const askedLeast = digits(options, 'minimumFractionDigits', 0, 100, undefined)
    const askedMost = digits(options, 'maximumFractionDigits', 0, 100, undefined)
    if (askedLeast !== undefined && askedMost !== undefined && askedLeast > askedMost) {
      refuse('minimumFractionDigits ' + askedLeast + ' is more than maximumFractionDigits ' + askedMost + '; write it smaller')
    }
    format.isCompact = letter(options, 'notation', NOTATIONS) === 'compact'
    format.display = letter(options, 'compactDisplay', DISPLAYS) || 'short'
    format.isByDigits = false
    format.least = askedLeast !== undefined ? askedLeast : askedMost !== undefined && askedMost < least ? askedMost : least
    format.most = askedMost !== undefined ? askedMost : askedLeast !== undefined && askedLeast > most ? askedLeast : most
    if (format.isCompact) compacted(format, askedLeast === undefined && askedMost === undefined)
    format.whole = digits(options, 'minimumIntegerDigits', 1, 21, 1)
    const grouping = options.useGrouping
    format.grouping = grouping === true ? 'always' : grouping === false ? 'none' : letter(options, 'useGrouping', GROUPINGS) || (format.isCompact ? 'min2' : 'auto')
    return format
  }

  // '1.2M': the rows of powers of ten, and two digits where nobody asks for another number of them.
  function compacted (format, isByDigits) {
    if (format.style === 'percent') refuse('notation "compact" is not supported for percents; leave it out')
    const words = kit.words('compact', format.locale)
    format.rows = words[format.style === 'currency' ? 'short' : format.display]
    format.isByDigits = isByDigits
    if (isByDigits) format.least = format.most = 0
    if (format.style !== 'currency' || (words.money.as === format.locale && words.money.sign === '')) return
    const numbers = dataOf(words.money.as).numbers
    format.how = numbers.currency
    const templates = numbers.currencies[format.currency]
    format.money = kit.record({ plus: templates[1], minus: words.money.sign === '' ? templates[2] : words.money.sign + templates[1] })
  }

  // '1.5e-7' -> its digits, and how many of them stand before the point
  function decimalOf (text) {
    const e = kit.indexOf(text, 'e')
    const plain = e < 0 ? text : kit.slice(text, 0, e)
    const dot = kit.indexOf(plain, '.')
    const whole = dot < 0 ? plain : kit.slice(plain, 0, dot)
    const fraction = dot < 0 ? '' : kit.slice(plain, dot + 1)
    return kit.record({ digits: whole + fraction, point: whole.length + (e < 0 ? 0 : kit.Number(kit.slice(text, e + 1))) })
  }

  function zeros (count) {
    let text = ''
    for (let index = 0; index < count; index++) text += '0'
    return text
  }

  // Half away from zero, by the digits that the number is written with.
  function rounded (digits, kept) {
    if (kept < 0) return ''
    if (kept >= digits.length) return digits + zeros(kept - digits.length)
    let text = kit.slice(digits, 0, kept)
    if (digits[kept] < '5') return text
    for (let at = kept - 1; at >= 0; at--) {
      if (text[at] !== '9') return kit.slice(text, 0, at) + (kit.Number(text[at]) + 1) + zeros(kept - at - 1)
    }
    text = '1' + zeros(kept)
    return text
  }

  // -> {integer, fraction, row}: the digits that are written of a finite number, its sign aside
  function writtenOf (format, number) {
    const text = kit.String(number)
    const decimal = decimalOf(text[0] === '-' ? kit.slice(text, 1) : text)
    if (format.isCompact) return compactOf(format, decimal.digits, decimal.point)
    return cut(format, decimal.digits, decimal.point + (format.style === 'percent' ? 2 : 0), format.most)
  }

  function cut (format, digits, point, most) {
    const all = point < 0 ? zeros(-point) + digits : digits
    const before = point < 0 ? 0 : point
    const kept = rounded(all, before + most)
    const whole = kit.slice(kept, 0, kept.length - most)
    let fraction = kit.slice(kept, kept.length - most)
    while (fraction.length > format.least && fraction[fraction.length - 1] === '0') fraction = kit.slice(fraction, 0, fraction.length - 1)
    let from = 0
    while (from < whole.length && whole[from] === '0') from++
    const integer = kit.slice(whole, from)
    return kit.record({ integer: integer.length < format.whole ? zeros(format.whole - integer.length) + integer : integer, fraction: fraction, row: null })
  }

  function compactOf (format, digits, point) {
    let first = 0
    while (first < digits.length && digits[first] === '0') first++
    if (first === digits.length) return cut(format, digits, point, format.most)
    let row = null
    const power = point - first - 1
    for (let at = 0; at < format.rows.length; at++) if (format.rows[at][0] <= power) row = format.rows[at]
    const shift = row === null ? 0 : row[1]
    const places = power - shift + 1
    const written = cut(format, digits, point - shift, format.isByDigits ? places < 2 ? 2 - places : 0 : format.most)
    if (places > 0 && written.integer.length > places) { // 999.9 was rounded up to 1000
      for (let at = 0; at < format.rows.length; at++) if (format.rows[at][0] === power + 1) return compactOf(format, '1', power + 2)
    }
    written.row = row
    return written
  }

  // tell(type, text) each part of a number in its order
  function eachNumberPart (format, value, tell) {
    const number = typeof value === 'bigint' ? value : kit.Number(value)
    if (format.currency !== undefined && typeof number === 'number' && !kit.isFinite(number)) {
      refuse(number + ' is no amount of ' + format.currency + '; look whether the number is there before you format it')
    }
    const isMinus = typeof number === 'bigint' ? number < 0 : number < 0 || 1 / number === -Infinity
    const isFinite = typeof number === 'bigint' || kit.isFinite(number)
    const written = isFinite ? writtenOf(format, number) : null
    const of = isFinite && written.row !== null && format.money !== null ? format.money : format
    const template = isMinus ? of.minus : of.plus
    const at = kit.indexOf(template, '{}')
    eachAffix(kit.slice(template, 0, at), 'currency', tell)
    if (isFinite) eachDigit(format, written, tell)
    else if (number !== number) tell('nan', format.nan)
    else tell('infinity', '∞')
    eachAffix(kit.slice(template, at + 2), 'currency', tell)
  }

  function eachDigit (format, written, tell) {
    let form = '{}'
    if (written.row !== null) {
      const forms = written.row[2]
      const isOne = kit.Number(written.integer + '.' + written.fraction) === 1
      const exact = isOne && typeof forms !== 'string' ? kit.descriptor(forms, '=1') : undefined
      form = exact !== undefined ? exact.value : kit.formOf(forms, kit.texts.category(format.locale, written.integer, written.fraction))
      if (kit.indexOf(form, '{}') < 0) {
        tell('compact', form)
        return
      }
    }
    const at = kit.indexOf(form, '{}')
    eachAffix(kit.slice(form, 0, at), 'compact', tell)
    eachGroup(written.integer, format, tell)
    if (written.fraction !== '') {
      tell('decimal', format.how.decimal)
      tell('fraction', written.fraction)
    }
    eachAffix(kit.slice(form, at + 2), 'compact', tell)
  }

  // What stands before or after the digits: signs, spaces, and one word between them.
  const isSpace = (letter) => letter === ' ' || letter === '\u00a0' || letter === '\u202f'
  const SIGNS = kit.record({ '-': 'minusSign', '\u2212': 'minusSign', '%': 'percentSign' })
  function eachAffix (text, word, tell) {
    let from = 0
    let until = text.length
    while (from < until && (isSpace(text[from]) || SIGNS[text[from]] !== undefined)) from++
    while (until > from && (isSpace(text[until - 1]) || SIGNS[text[until - 1]] !== undefined)) until--
    for (let at = 0; at < text.length; at++) {
      if (at === from && until > from) {
        tell(word, kit.slice(text, from, until))
        at = until - 1
      } else tell(SIGNS[text[at]] || 'literal', text[at])
    }
  }

  function numberText (format, value) {
    let text = ''
    eachNumberPart(format, value, (type, part) => { text += part })
    return text
  }

  function eachGroup (integer, format, tell) {
    const least = format.grouping === 'always' ? 4 : format.grouping === 'min2' ? 5 : format.how.least
    if (format.grouping === 'none' || integer.length < least) {
      tell('integer', integer)
      return
    }
    let at = integer.length % 3 || 3
    tell('integer', kit.slice(integer, 0, at))
    for (; at < integer.length; at += 3) {
      tell('group', format.how.group)
      tell('integer', kit.slice(integer, at, at + 3))
    }
  }

  function place (template, text) {
    const at = kit.indexOf(template, '{}')
    return kit.slice(template, 0, at) + text + kit.slice(template, at + 2)
  }

  const numberOf = kit.method(Number.prototype.valueOf)
  const bigintOf = kit.method(BigInt.prototype.valueOf)
  kit.hidden(Number.prototype, 'toLocaleString', kit.record({ toLocaleString () {
    const value = numberOf(this)
    return numberText(numberFormat(arguments[0], arguments[1]), value)
  } }).toLocaleString)
  kit.hidden(BigInt.prototype, 'toLocaleString', kit.record({ toLocaleString () {
    const value = bigintOf(this)
    return numberText(numberFormat(arguments[0], arguments[1]), value)
  } }).toLocaleString)

  const formats = part('NumberFormat', numberFormat)
  getter(formats, 'format', function () {
    const format = own(this, 'NumberFormat')
    return (number) => numberText(format, number)
  })
  kit.hidden(formats, 'formatToParts', function formatToParts (number) {
    const parts = []
    eachNumberPart(own(this, 'NumberFormat'), number, (type, value) => kit.push(parts, { type: type, value: value }))
    return parts
  })
  kit.hidden(formats, 'resolvedOptions', function resolvedOptions () {
    const format = own(this, 'NumberFormat')
    return {
      locale: format.locale,
      numberingSystem: 'latn',
      style: format.style,
      ...(format.currency === undefined ? {} : { currency: format.currency, currencyDisplay: 'symbol', currencySign: 'standard' }),
      minimumIntegerDigits: format.whole,
      minimumFractionDigits: format.least,
      maximumFractionDigits: format.most,
      ...(format.isCompact ? { notation: 'compact', compactDisplay: format.display } : { notation: 'standard' }),
      signDisplay: 'auto'
    }
  })

  kit.texts.numberFormat = numberFormat
  kit.texts.writtenOf = writtenOf
  kit.texts.eachNumberPart = eachNumberPart
  kit.texts.place = place
})
