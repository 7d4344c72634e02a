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
  const heard = (act) => {
    const log = []
    const target = new EventTarget()
    act(target, word => log.push(word))
    return log
  }
  say('listen', () => heard((t, log) => {
    const f = event => log(event.type + (event.target === t))
    t.addEventListener('a', f); t.addEventListener('a', f); t.addEventListener('a', { handleEvent () { log('object') } })
    t.addEventListener('a', () => log('once'), { once: true })
    log(t.dispatchEvent(new Event('a'))); t.removeEventListener('a', f); log(t.dispatchEvent(new Event('a'))); t.dispatchEvent(new Event('b'))
  }))
  say('prevent', () => heard((t, log) => {
    t.addEventListener('a', event => { event.preventDefault(); event.stopImmediatePropagation(); log(event.defaultPrevented) })
    t.addEventListener('a', () => log('never'))
    log(t.dispatchEvent(new Event('a', { cancelable: true }))); log(t.dispatchEvent(new Event('a')))
  }))
  say('added meanwhile', () => heard((t, log) => { t.addEventListener('a', () => { log(1); t.addEventListener('a', () => log(2)) }); t.dispatchEvent(new Event('a')) }))
  say('detail', () => [new CustomEvent('a', { detail: { b: 1 } }).detail, new CustomEvent('a').detail, new CustomEvent('a') instanceof Event])
  say('no type', () => new Event())
  say('no event', () => new EventTarget().dispatchEvent({ type: 'a' }))
  say('abort', () => {
    const log = []
    const controller = new AbortController()
    controller.signal.addEventListener('abort', event => log.push(event.type, controller.signal.aborted))
    controller.signal.onabort = () => log.push('on')
    controller.abort(); controller.abort()
    try { controller.signal.throwIfAborted() } catch (error) { log.push(error.name) }
    return [log.sort(), controller.signal.reason.name, controller.signal instanceof EventTarget]
  })
  say('reason', () => [AbortSignal.abort('why').reason, new AbortController().signal.aborted])
  say('by signal', () => heard((t, log) => {
    const controller = new AbortController()
    t.addEventListener('a', () => log('heard'), { signal: controller.signal })
    t.dispatchEvent(new Event('a')); controller.abort(); t.dispatchEvent(new Event('a'))
  }))
  say('no constructor', () => new AbortSignal())
  const copied = [
    1, 'a', null, undefined, 5n, [1, , [2]], { a: { b: [1] }, c: undefined }, new Date(5), /a.b/gi, new Map([[{ a: 1 }, new Set([1])]]), new Uint8Array([1, 2]),
    new Error('x'), new TypeError('y'), Object(5), Object('a'), Object.create({ inherited: 1 })
  ]
  for (const value of copied) {
    say('clone', () => {
      const copy = structuredClone(value)
      const inner = copy instanceof Map ? [...copy].map(([key, each]) => [key, [...each]]) : copy instanceof Error ? [copy.name, copy.message] : typeof copy === 'bigint' ? '' + copy : copy
      return [typeof copy, copy !== value || typeof value !== 'object', Object.prototype.toString.call(copy), copy instanceof RegExp ? '' + copy : inner]
    })
  }
  say('cycle', () => { const a = { b: [] }; a.b.push(a); const c = structuredClone(a); return [c.b[0] === c, c !== a] })
  say('shared', () => { const a = {}; const c = structuredClone([a, a]); return c[0] === c[1] })
  for (const value of [() => {}, Symbol('a'), { a () {} }, Promise.resolve()]) say('no data', () => structuredClone(value))
  say('nothing', () => structuredClone())
  say('console', () => typeof console.table)
  return lines
}
