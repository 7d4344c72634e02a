// What a browser has beside the language, told in lines that any right engine says alike.
function told () {
  const lines = []
  const say = (name, act) => {
    let said
    try { said = act() } catch (e) { said = 'throws ' + e.name }
    lines.push(name + ' ' + JSON.stringify(said))
  }
  const texts = ['', 'a', 'é', '漢字', '😀', 'a\ud800b', '\udc00', '\ud83d\ude00\ud83d', '\0', 'x'.repeat(300) + 'é']
  for (const text of texts) say('encode', () => [...new TextEncoder().encode(text)])
  for (const text of texts) say('round', () => new TextDecoder().decode(new TextEncoder().encode(text)))
  const broken = [
    [0x80], [0xc0, 0x80], [0xc2], [0xc2, 0x41], [0xe0, 0x80, 0x80], [0xe2, 0x82], [0xe2, 0x82, 0x41], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98],
    [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80], [0xff, 0xfe], [0xef, 0xbb, 0xbf, 0x61], [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf], [0xf0, 0x9f, 0x98, 0x80]
  ]
  for (const bytes of broken) {
    say('decode', () => new TextDecoder().decode(new Uint8Array(bytes)))
    say('fatal', () => new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(bytes)))
    say('bom', () => new TextDecoder('UTF8', { ignoreBOM: true }).decode(new Uint8Array(bytes)))
  }
  say('buffer', () => new TextDecoder().decode(new Uint8Array([104, 105]).buffer))
  say('part', () => new TextDecoder().decode(new Uint8Array([1, 104, 105, 2]).subarray(1, 3)))
  say('nothing', () => [new TextDecoder().decode(), new TextEncoder().encode().length])
  say('members', () => [new TextEncoder().encoding, new TextDecoder().encoding, new TextDecoder().fatal, new TextDecoder('utf-8', { ignoreBOM: 1 }).ignoreBOM])
  say('label', () => new TextDecoder('latin-999'))
  say('no bytes', () => new TextDecoder().decode('text'))
  say('uuid', () => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()))
  say('uuids', () => new Set(Array.from({ length: 100 }, () => crypto.randomUUID())).size)
  say('values', () => { const a = new Uint8Array(1000); return crypto.getRandomValues(a) === a && new Set(a).size > 200 })
  say('wide', () => crypto.getRandomValues(new Uint32Array(4)).some(n => n > 65536))
  say('floats', () => crypto.getRandomValues(new Float64Array(1)))
  say('too many', () => crypto.getRandomValues(new Uint8Array(65537)))
  say('no array', () => crypto.getRandomValues([1]))
  say('base64', () => [btoa('hello'), atob('aGVsbG8=')])
  say('not latin', () => btoa('漢'))
  say('console', () => typeof console.table)
  return lines
}
