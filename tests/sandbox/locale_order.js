// In which order a locale puts words: see locale.js. Words of a language, letters and hard pairs, each with each.
function told (locale) {
  const lines = []
  const say = act => {
    try { lines.push(act()) } catch (error) { lines.push(error instanceof RangeError || error instanceof TypeError ? 'refused' : 'threw ' + error) }
  }
  const words = ('a A á Á à â ä Ä å Å ã ą æ Æ aa Aa AA ab aab ae az b c ç Ç č ć ch Ch CH ci cz d ď ð dz dž e é É è ê ë ę ě eé f g ğ Ğ h i ı I İ í î ï ij j k kk l ł Ł ll lz m n ñ Ñ ń nz ň o ó ö Ö ô õ ø Ø ő œ Œ oe ' +
    'oz p q r ř s ś š Š ş ß ss SS ẞ t ť ţ th þ Þ u ú ü Ü ű ů ux v w W x y ý yz z ź ż ž Ž zz ª º ½ ² 1 2 10 02 007 7 - _ , . ! ? \' " ( ) & % + = < > | ~ $ € £ @ # ° « » … – — • → α Α ά β ω а А б ё е я Я ї').split(' ')
  if (!locale.startsWith('fi')) words.push('đ', 'ŋ', 'ŧ', 'ʒ')
  const more = ['', ' ', 'a b', 'ab', 'a-b', 'a.b', 'cote', 'coté', 'côte', 'côté', 'Cote', 'COTE', 'resume', 'résumé', 'Résumé', 'Straße', 'Strasse', 'STRASSE', 'strasse', 'Ärger', 'Arger', 'Zebra', 'Øl', 'Ol', 'Ål', 'Aal', 'Örebro', 'Orebro', 'Zürich', 'Zurich', 'nube', 'ñandú', 'nz', 'llama', 'luz', 'churro', 'cz', 'Łódź', 'Lodz', 'Lublin', 'Šárka', 'Sárka', 'hodina', 'chata', 'cihla', 'ırmak', 'irmak', 'Iğdır', 'İzmir', 'izmir', 'çay', 'cam', 'şeker', 'seker', 'gümüş', 'gumus', 'file2', 'file10', 'file02', 'File2', 'item 9', 'item 10', 'item 1.5', 'O’Neil', "O'Neil", 'Oneil', 'co-op', 'coop', 'Co-op', 'a\u0301', 'a\u0308\u0301', 'ǻ', 'e\u0323\u0301', 'ﬁ', 'fi', '😀', '🎉', '한국', '가', 'a\u00adb', '12345678901234567890', '12345678901234567891', 'x\u0301', 'Ünal', 'Unal', 'yük', 'Müller', 'Muller', 'Mueller', 'vad', 'wad', 'Vz', 'W']
  const all = words.concat(more)
  const sign = number => number < 0 ? '<' : number > 0 ? '>' : '='
  const table = (of, compare) => {
    for (const one of of) say(() => one + ': ' + of.map(other => sign(compare(one, other))).join(''))
    say(() => of.slice().sort(compare).join(' '))
  }
  say(() => 'a'.localeCompare('b', locale))
  const collator = options => { try { return new Intl.Collator(locale, options).compare } catch { return () => { throw new RangeError() } } }
  table(all, collator(undefined))
  for (const sensitivity of ['base', 'accent', 'case', 'variant', 'all']) table(more, collator({ sensitivity }))
  table(more, collator({ numeric: true }))
  table(more, collator({ numeric: true, sensitivity: 'base' }))
  for (const caseFirst of ['upper', 'lower', 'false']) table(more.slice(0, 60), collator({ caseFirst }))
  const letters = []
  for (const [from, until] of [[0x20, 0x7f], [0xa0, 0x250], [0x386, 0x460], [0x1e00, 0x1f00], [0x2010, 0x2028], [0x20a0, 0x20c1], [0x1f300, 0x1f320]]) {
    for (let code = from; code < until; code++) {
      const letter = String.fromCodePoint(code)
      if (!'\u038b\u038d\u03a2ŀĿǅǈǋǲȸȹƍỺỻϹϲđĐǥǤŋŊŧŦʒƷ'.includes(letter) && letter.normalize('NFD').length < 3) letters.push(letter)
    }
  }
  say(() => letters.filter(letter => letter.toUpperCase() !== letter).map(letter => [letter, letter + 'a', 'b' + letter]).flat().sort(collator({ usage: 'sort' })).join(' '))
  say(() => letters.slice().sort(collator()).join(' '))
  say(() => 'a'.localeCompare('á', locale, { sensitivity: 'base' }) + 'b'.localeCompare('a', locale) + 'ä'.localeCompare('z', [locale]))
  say(() => 'résumé'.localeCompare('resume') + 'a'.localeCompare(undefined) + String.prototype.localeCompare.call(5, '10', locale))
  say(() => JSON.stringify([3, 1, 2, null].map(String).sort(new Intl.Collator(locale).compare)))
  return lines
}
