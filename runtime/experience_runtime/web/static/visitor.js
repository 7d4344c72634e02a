// Experience Runtime's snippet: window.experience. Its settings are the data attributes of its script tag.
(function () {
  const early = window.experience || []
  // a module has no current script
  const script = document.currentScript || document.querySelector('script[src][data-key],script[src*="/visitor.js"]')
  if (early.emit || !script) return
  const set = script.dataset
  const base = script.src.replace(/\.js([?#].*)?$/, '') + (set.key ? '/k/' + set.key : '')
  const NAME = 'experience_visitor'
  const ZONE = 'experience_zone'
  // what waits is one entry each, so that tabs write none over another's
  const ITEM = 'experience_item_'
  const CONVERSIONS = []
  // for what localStorage does not take: it is forbidden, or full
  const memory = {}
  // a run's place in the order, until it has ended: what was emitted after it waits
  const runs = []
  const tab = random()
  let id = null
  let order = 0
  let ranAt = 0
  let sending
  let chain = Promise.resolve()
  let wait = 1000
  let refused
  let timer
  let gone
  const objects = navigator.doNotTrack === '1' || navigator.globalPrivacyControl
  let allowed = set.consent !== 'required' && !(objects && set.dnt !== 'ignore')

  function keep (name, value) {
    delete memory[name]
    try {
      if (value === null) localStorage.removeItem(name)
      else localStorage.setItem(name, value)
    } catch { if (value !== null) memory[name] = value }
  }

  function kept (name) {
    let value = null
    try { value = localStorage.getItem(name) } catch {}
    return value === null ? memory[name] : value
  }

  // empty where cookies are forbidden, as in a sandboxed frame
  function cookie (value, seconds) {
    try {
      if (value !== undefined) {
        document.cookie = NAME + '=' + value + '; Max-Age=' + seconds + '; Path=/; SameSite=Lax' +
          (set.domain ? '; Domain=' + set.domain : '') + (location.protocol === 'https:' ? '; Secure' : '')
      }
      return document.cookie
    } catch { return '' }
  }

  function random () {
    return Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(16).padStart(8, 0)).join('')
  }

  // a later one is greater
  function key () {
    return (order = Math.max(order + 1, Date.now())).toString(36) + random()
  }

  function waiting () {
    let names = Object.keys(memory)
    try { names = names.concat(Object.keys(localStorage)) } catch {}
    return names.filter((name) => name.startsWith(ITEM)).sort()
  }

  // the items of these names; what others made of them is dropped
  function items (names) {
    return names.map((name) => {
      try {
        const each = JSON.parse(kept(name))
        return { ...each, key: name.slice(ITEM.length), visitor: each.visitor.trim(), age: Math.max(0, Date.now() - Math.max(each.at, ranAt) || 0) }
      } catch { keep(name, null) }
    }).filter(Boolean)
  }

  // in UTF-8: what may outlive a page browsers count so, 64 KiB in all
  function bytes (text) {
    return new Blob([text]).size
  }

  // as many as one request takes
  function fit (all) {
    let size = 0
    return all.filter((each) => {
      const own = bytes(JSON.stringify(each))
      return own < 21e3 && (size += own) < 5e4
    })
  }

  // which to keep longest; what counts is for the server to say
  function matters (item) {
    return !!(item.identify || item.run) || CONVERSIONS.some((name) => ('.' + item.type).endsWith('.' + name))
  }

  function zone () {
    return { timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, timezone_offset: new Date().getTimezoneOffset() }
  }

  function browser () {
    return { url: location.href, referrer: document.referrer, language: navigator.language, screen: { width: screen.width, height: screen.height } }
  }

  // false when it cannot be sent
  function add (item) {
    let text
    try { text = JSON.stringify({ visitor: id, at: Date.now(), tab: runs[0] && tab, ...item }) } catch {}
    if (!allowed || refused || !text || bytes(text) > 2e4) return false
    keep(ITEM + key(), text)
    const all = items(waiting())
    if (all.length > 50) keep(ITEM + (all.find((each) => !matters(each)) || all[0]).key, null)
    flush()
    return true
  }

  function body (more) {
    return JSON.stringify({ visitor: id, domain: set.domain, ...zone(), ...more })
  }

  // as text, which needs no preflight
  function post (path, more) {
    const text = body(more)
    const near = set.domain || new URL(base).hostname === location.hostname
    return fetch(base + path, { method: 'POST', body: text, credentials: near ? 'include' : 'omit', keepalive: bytes(text) < 3e4 })
  }

  // what may be sent now: nothing that was emitted after a run that has not ended, in this tab or another
  function next () {
    const end = runs[0] ? runs[0].key : '~'
    return fit(items(waiting()).filter((each) => each.key < end && (!each.tab || each.tab === tab || each.age > 2e4)))
  }

  // true once nothing waits that may be sent
  async function drain () {
    await null
    for (let batch; allowed && (batch = next()).length;) {
      try {
        const answer = await post('/events', { items: batch })
        const { status } = answer
        const told = await answer.json()
        if (status > 499 || [408, 409, 425, 429].includes(status)) return false
        refused = status === 401 || status === 403
        batch.forEach((each, n) => {
          const { detail } = status > 399 ? told : told.items[n]
          if (detail) console.warn('experience: ' + each.type + ' was refused: ' + detail)
          keep(ITEM + each.key, null)
        })
      } catch { return false }
      wait = 1000
    }
    return true
  }

  // one tab at a time, where the browser can tell
  function flush () {
    const locked = () => navigator.locks ? navigator.locks.request(NAME, drain).catch(drain) : drain()
    sending = sending || locked().then((done) => {
      sending = null
      clearTimeout(timer)
      if (!done) timer = setTimeout(flush, wait = Math.min(2 * wait, 3e5))
      else if (allowed && next().length) return flush()
      return done
    })
    return sending
  }

  // everything in one batch, or in parts where much is under way; what arrives again counts once
  function leave (ended) {
    let all = items(waiting()).concat(ended.filter((each) => !each.asked).map(aged))
    all = allowed ? fit(all.sort((a, b) => matters(b) - matters(a) || (a.key > b.key) * 2 - 1)) : []
    for (let n = all.length; n; n = Math.min(n, all.length)) {
      if (navigator.sendBeacon(base + '/events', body({ items: all.slice(0, n) }))) all.splice(0, n)
      else n >>= 1
    }
  }

  function fail (why, code) {
    return Promise.reject(Object.assign(new Error('experience: ' + why), { code }))
  }

  function aged (one) {
    one.asked = 1
    return { ...one, age: Date.now() - Math.max(one.at, ranAt) }
  }

  async function run (name, data) {
    if (!allowed) return fail('no consent')
    const one = JSON.parse(JSON.stringify({ run: name, data, browser: browser(), at: Date.now(), visitor: id, key: key() }))
    runs.push(one)
    const ran = chain.then(async () => {
      if (!await flush()) return fail('offline')
      if (one.asked) return fail('left')
      const answer = await post('/run/' + encodeURIComponent(name), aged(one))
      const told = await answer.json()
      return answer.ok ? told : fail(told.detail, told.code)
    })
    chain = ran.catch(() => {}).then(() => {
      runs.shift()
      // what waited for a run came after it, and after what it scheduled
      ranAt = Date.now()
      flush()
    })
    return ran
  }

  function begin () {
    const found = /(?:^|; )experience_visitor=([\w-]{16,64})/.exec(cookie() + '; ' + NAME + '=' + kept(NAME))
    id = found ? found[1] : random()
    if (!cookie(id, 31536000).includes(id)) keep(NAME, id)
    const told = id + JSON.stringify(zone())
    if (kept(ZONE) !== told) {
      keep(ZONE, told)
      add({})
    }
    flush()
  }

  const experience = window.experience = {
    get visitor () { return id },
    emit (type, data) { return add({ type: String(type), data }) },
    identify (person) { return add({ identify: String(person) }) },
    run,
    consent (yes) {
      allowed = !!yes
      if (yes) return begin()
      id = null
      cookie('', 0)
      for (const name of waiting().concat(NAME, ZONE)) keep(name, null)
    },
    push (call) { return experience[call[0]].apply(experience, call.slice(1)) }
  }
  addEventListener('online', flush)
  addEventListener('pageshow', () => { gone = 0 })
  addEventListener('pagehide', () => {
    gone = 1
    leave(runs)
  })
  // a page that is left is hidden after it: what followed a run would overtake it
  addEventListener('visibilitychange', () => document.hidden && !gone && leave([]))
  if (allowed) begin()
  ;[].forEach.call(early, experience.push)
})()
