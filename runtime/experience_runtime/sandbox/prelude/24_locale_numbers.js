// Numbers as locales write them: Intl.NumberFormat and the toLocaleString of numbers.
(function (kit) {
  'use strict'
  const { locale, dataOf, asObject, letter, refuseOthers, refuse, shown, own, getter, part } = kit.texts

  const NUMBER_STYLES = kit.record({ decimal: 'decimal', percent: 'percent', currency: 'currency' })
  const GROUPINGS = kit.record({ auto: 'auto', always: 'always', min2: 'min2', true: 'auto', false: 'auto' })
  const NUMBER_OTHERS = kit.record({
    unit: undefined, unitDisplay: 'short', notation: 'standard', currencyDisplay: 'symbol', currencySign: 'standard', signDisplay: 'auto',
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
    const format = kit.record({ locale: name, style: style, how: numbers[style], currency: undefined, plus: numbers[style].plus, minus: numbers[style].minus, nan: numbers.nan, grouping: 'auto' })
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
    format.least = askedLeast !== undefined ? askedLeast : askedMost !== undefined && askedMost < least ? askedMost : least
    format.most = askedMost !== undefined ? askedMost : askedLeast !== undefined && askedLeast > most ? askedLeast : most
    format.whole = digits(options, 'minimumIntegerDigits', 1, 21, 1)
    const grouping = options.useGrouping
    format.grouping = grouping === true ? 'always' : grouping === false ? 'none' : letter(options, 'useGrouping', GROUPINGS) || 'auto'
    return format
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

  function numberText (format, value) {
    const number = typeof value === 'bigint' ? value : kit.Number(value)
    if (format.currency !== undefined && typeof number === 'number' && !kit.isFinite(number)) {
      refuse(number + ' is no amount of ' + format.currency + '; look whether the number is there before you format it')
    }
    if (number !== number) return place(format.plus, format.nan)
    const isMinus = typeof number === 'bigint' ? number < 0 : number < 0 || 1 / number === -Infinity
    const written = kit.String(number)
    const plain = isMinus && written[0] === '-' ? kit.slice(written, 1) : written
    const template = isMinus ? format.minus : format.plus
    if (plain === 'Infinity') return place(template, '∞')
    const decimal = decimalOf(plain)
    let point = decimal.point + (format.style === 'percent' ? 2 : 0)
    let all = decimal.digits
    if (point < 0) {
      all = zeros(-point) + all
      point = 0
    }
    const kept = point + format.most
    const cut = rounded(all, kept)
    const whole = kit.slice(cut, 0, cut.length - format.most)
    let fraction = kit.slice(cut, cut.length - format.most)
    while (fraction.length > format.least && fraction[fraction.length - 1] === '0') fraction = kit.slice(fraction, 0, fraction.length - 1)
    let from = 0
    while (from < whole.length && whole[from] === '0') from++
    let integer = kit.slice(whole, from)
    if (integer.length < format.whole) integer = zeros(format.whole - integer.length) + integer
    return place(template, grouped(integer, format) + (fraction === '' ? '' : format.how.decimal + fraction))
  }

  function grouped (integer, format) {
    const least = format.grouping === 'always' ? 4 : format.grouping === 'min2' ? 5 : format.how.least
    if (format.grouping === 'none' || integer.length < least) return integer
    let text = ''
    for (let at = integer.length; at > 0; at -= 3) {
      text = kit.slice(integer, at < 3 ? 0 : at - 3, at) + (text === '' ? '' : format.how.group) + text
    }
    return text
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
      notation: 'standard',
      signDisplay: 'auto'
    }
  })
})
