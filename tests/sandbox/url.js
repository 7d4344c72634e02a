// Addresses and their parts, told in lines that any right engine says alike.
function told () {
  const lines = []
  const say = (name, act) => {
    let said
    try { said = act() } catch (e) { said = 'throws ' + e.name }
    lines.push(name + ' ' + JSON.stringify(said))
  }
  const PARTS = ['href', 'origin', 'protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash']
  const parts = url => PARTS.map(name => url[name])
  const ALONE = [
    'https://shop.example/', 'https://shop.example', 'HTTPS://Shop.Example/A', 'https://shop.example/a/b?c=1#d', 'http://shop.example:80/', 'http://shop.example:8080/a',
    'https://shop.example:443', 'https://shop.example:0443/', 'https://u:p@shop.example/', 'https://u@shop.example/', 'https://:p@shop.example/', 'https://u%40:p:q@shop.example/',
    'https://a@b@shop.example/', 'https://@shop.example/', 'https://u:p@/', 'https://', 'https:///shop.example/a', 'https:shop.example/a', 'https:\\\\shop.example\\a\\..\\b',
    'https://shop.example/a/../b', 'https://shop.example/a/./b/.', 'https://shop.example/a/..', 'https://shop.example/../../a', 'https://shop.example/%2e%2E/a', 'https://shop.example/a//b/',
    'https://shop.example/a b', 'https://shop.example/ä/漢?ü=ö#é', 'https://shop.example/<>"`{}|^', 'https://shop.example/?<>"\'`{}|^', 'https://shop.example/#<>"\'`{}|^',
    'https://shop.example/%zz%4', 'https://shop.example?a', 'https://shop.example#a', 'https://shop.example/?', 'https://shop.example/#', 'https://shop.example/?#',
    '  https://shop.example/a  ', 'ht\ntps://shop\t.example/a\rb', 'https://shop.example/\ud800', 'https://shop.example:/', 'https://shop.example:99999/', 'https://shop.example:x/',
    'https://shop.example:65535/', 'https://shop.example:00080/', 'https://shop example/', 'https://shop%20example/', 'https://shop%2eexample/', 'https://sh%zz/', 'https://a<b/', 'https://a^b/', 'https://a|b/',
    'https://192.168.0.1/', 'https://192.168.1/', 'https://3232235521/', 'https://0xC0.0250.1/', 'https://0x7f.1/', 'https://256.1.1.1/', 'https://1.2.3.4.5/', 'https://1.2.3.4./', 'https://1.2.3.08/',
    'https://09.1/', 'https://a.1.2.3.x4/', 'https://1..2/', 'https://0x/', 'https://4294967296/', 'https://[::1]/', 'https://[1:2:3:4:5:6:7:8]/', 'https://[1::0:0:8]/', 'https://[1:0:0:2::3]/', 'https://[::ffff:1.2.3.4]/',
    'https://[1:2:3:4:5:6:7::]/', 'https://[::1.2.3.256]/', 'https://[:1]/', 'https://[1::2::3]/', 'https://[1:2]/', 'https://[::g]/', 'https://[::1', 'https://[2001:DB8::A]:81/', 'https://[::01.2.3.4]/',
    'https://bücher.example/', 'https://BÜCHER.example/', 'https://例え.テスト/', 'https://😀.example/', 'https://faß.example/', 'https://a。b/', 'https://ｅｘ.example/', 'https://a\u00adb.example/', 'https://münchen.example:8443/ä',
    'https://xn--bcher-kva.example/', 'https://é.é.é/', 'https://Ω.example/', 'https://مثال.example/',
    'mailto:ada@shop.example', 'mailto:a b?subject=hi there', 'tel:+4930123', 'javascript:alert(1)', 'data:text/plain,a b#c d', 'about:blank', 'urn:isbn:1', 'blob:https://shop.example/1', 'a:b', 'a:/b', 'a:/b/../c', 'a://b', 'a://b/c/../d',
    'a://b c/', 'a://B:80/', 'a:///b', 'a://u:p@b:1/c?d#e', 'a:/..//b', 'web+x://é/', 'ws://shop.example:80/', 'wss://shop.example:443/x', 'ftp://shop.example:21/', 'file:///a/b', 'file://host/a', 'file:a', 'file:/C|/x', 'file:///C:/../x', 'file://localhost/a', 'file:', 'file://C:/a',
    'shop.example', '/a', '', '//shop.example', '1a:b', ':a', 'ht tp://a', 'http', 'http:', 'http:/', 'http://?a', 'http://#a', 'http://a?b/c@d', 'http://a\\b', 'http://a.b/c;d=e,f', '\0https://a/', 'https://a/\0', 'https://a\0b/', 'null', 'undefined'
  ]
  for (const text of ALONE) say('alone ' + text, () => parts(new URL(text)))
  const BASES = ['https://u:p@shop.example:81/a/b/c?d=1#e', 'mailto:ada@shop.example', 'file:///C:/a/b', 'a://h/x/y?z', 'a:/x/y']
  const UNDER = ['', 'x', './x', '../x', '../../../x', '/x', '//other.example/x', '?q', '#f', 'https:x', 'https://other.example', 'http:x', 'x?y#z', '\\x', '..', '.', 'x/..', '/D|/y', 'D:/y', ' x ', 'x:y', '///x', '/..', '?', '#', 'a:z']
  // where node departs from the standard
  const DEPARTS = ['mailto:ada@shop.example x?y#z', 'a://h/x/y?z /..', 'a:/x/y /..']
  for (const base of BASES) for (const text of UNDER) if (!DEPARTS.includes(base + ' ' + text)) say('under ' + base + ' ' + text, () => parts(new URL(text, base)))
  say('no base', () => new URL('x', 'no base'))
  say('an object', () => new URL(new URL('https://a/b')).href)
  say('as text', () => [String(new URL('https://a')), JSON.stringify({ u: new URL('https://a') }), Object.prototype.toString.call(new URL('https://a'))])
  say('can parse', () => [URL.canParse('https://a'), URL.canParse('a'), URL.canParse('a', 'https://b')])
  say('no argument', () => new URL())
  say('no new', () => URL('https://a'))
  say('not one', () => Object.getOwnPropertyDescriptor(URL.prototype, 'href').get.call({}))
  const SET = {
    protocol: ['http', 'http:', 'mailto', 'ftp://x', '1', 'file', ''], username: ['a b', '', 'ü', '@:/'], password: ['x', ''],
    host: ['b', 'b:1', 'b:443', 'b/c', '', 'b:x', '[::1]:2', 'B', 'b c'], hostname: ['b', 'b:1', '', '1.2', 'é', 'b?c'], port: ['1', '443', '', 'x', '1x', '65536', '01', ' 2'],
    pathname: ['x', '/x/../y', '', 'a?b#c', 'a b', '\\x\\y'], search: ['a=1', '?a=1', '', '?', 'a#b', "'"], hash: ['a', '#a', '', '#', 'a b', '`'], href: ['https://x/y', 'no']
  }
  for (const of of ['https://u:p@a:81/b?c#d', 'a://h:1/x', 'file:///x', 'mailto:x']) {
    for (const name of Object.keys(SET)) {
      for (const value of SET[name]) say('set ' + name + ' of ' + of + ' ' + value, () => { const url = new URL(of); url[name] = value; return url.href })
    }
  }
  const READ = ['', '?', 'a', 'a=', '=a', 'a=1&b=2', '?a=1', 'a=1&a=2', 'a+b=c+d', 'a%20b=%C3%A9', '%', '%zz=%4', 'a=b=c', '&&a&&', 'é=漢', 'a=%FF', '\ud800=1', 'a=1;b=2', '??a', 'a=%00', 'a=😀', "a='*-._~!()"]
  for (const text of READ) say('read ' + text, () => { const p = new URLSearchParams(text); return [[...p], p.toString(), p.size] })
  say('of pairs', () => new URLSearchParams([['a', 1], ['b', null]]).toString())
  say('of an object', () => new URLSearchParams({ a: 1, b: undefined, 'c d': 'é&=' }).toString())
  say('of itself', () => new URLSearchParams(new URLSearchParams('a=1&b=2')).toString())
  say('of a map', () => new URLSearchParams(new Map([['a', 'b']])).toString())
  say('of no pairs', () => new URLSearchParams([['a']]))
  say('get', () => { const p = new URLSearchParams('a=1&b=2&a=3'); return [p.get('a'), p.get('x'), p.getAll('a'), p.getAll('x'), p.has('a'), p.has('a', '3'), p.has('a', '9')] })
  say('set', () => { const p = new URLSearchParams('a=1&b=2&a=3'); p.set('a', 9); p.set('c', ''); p.append('b', 4); return p.toString() })
  say('delete', () => { const p = new URLSearchParams('a=1&b=2&a=3'); p.delete('a', '3'); const one = p.toString(); p.delete('a'); return [one, p.toString()] })
  say('sort', () => { const p = new URLSearchParams('z=1&a=2&é=3&a=1&z=0&😀=1&\uffff=1'); p.sort(); return p.toString() })
  say('each', () => { const log = []; new URLSearchParams('a=1&b=2').forEach((v, k, p) => log.push(k, v, p.size)); return log })
  say('iterate', () => { const p = new URLSearchParams('a=1&b=2'); return [[...p.keys()], [...p.values()], [...p.entries()], Object.fromEntries(p)] })
  say('while it grows', () => { const p = new URLSearchParams('a=1'); const seen = []; for (const [k] of p) { seen.push(k); if (seen.length < 4) p.append('b' + seen.length, 1) } return seen })
  say('no arguments', () => new URLSearchParams('a=1').get())
  say('of an address', () => { const u = new URL('https://a/?b=1'); u.searchParams.append('c', 'é d'); const one = u.href; u.search = '?x=1'; const two = [...u.searchParams]; u.searchParams.delete('x'); return [one, two, u.href] })
  say('the same', () => { const u = new URL('https://a/?b=1'); const p = u.searchParams; u.href = 'https://c/?d=2'; return [p === u.searchParams, p.toString()] })
  say('sorted', () => { const u = new URL('https://a/?b=1&a=~ '); u.searchParams.sort(); return u.href })
  return lines
}
