// What browsers have beside the language and that computes only: crypto from the run's seed, UTF-8, deep copies,
// events and aborting. Nothing here reaches out of the run.
(function (kit) {
  'use strict'
  const RealUint8Array = Uint8Array
  const RealDOMException = DOMException
  const typedArray = kit.prototypeOf(RealUint8Array.prototype)
  const kindOf = kit.method(kit.descriptor(typedArray, Symbol.toStringTag).get) // undefined for what is none
  const bufferOf = kit.method(kit.descriptor(typedArray, 'buffer').get)
  const offsetOf = kit.method(kit.descriptor(typedArray, 'byteOffset').get)
  const lengthOf = kit.method(kit.descriptor(typedArray, 'byteLength').get)
  const fromCharCode = String.fromCharCode
  const bytesOf = (view) => new RealUint8Array(bufferOf(view), offsetOf(view), lengthOf(view))

  // crypto
  const MOST_RANDOM_BYTES = 65536
  const FLOATS = kit.record({ Float16Array: 1, Float32Array: 1, Float64Array: 1 })
  const hex = (byte) => kit.slice(kit.numberText(byte + 256, 16), 1)

  function getRandomValues (view) {
    const kind = typeof view === 'object' && view !== null ? kindOf(view) : undefined
    if (kind === undefined || FLOATS[kind] !== undefined) {
      throw new RealDOMException('getRandomValues needs an array of integers, such as new Uint8Array(16)', 'TypeMismatchError')
    }
    const bytes = bytesOf(view)
    if (lengthOf(bytes) > MOST_RANDOM_BYTES) {
      throw new RealDOMException('getRandomValues fills at most ' + MOST_RANDOM_BYTES + ' bytes at a time', 'QuotaExceededError')
    }
    for (let index = 0; index < lengthOf(bytes); index++) bytes[index] = kit.random() * 256
    return view
  }

  kit.hidden(kit.global, 'crypto', {
    getRandomValues: getRandomValues,
    randomUUID: function randomUUID () {
      let text = ''
      for (let index = 0; index < 16; index++) {
        let byte = (kit.random() * 256) | 0
        if (index === 6) byte = (byte & 15) | 64
        if (index === 8) byte = (byte & 63) | 128
        text += (index === 4 || index === 6 || index === 8 || index === 10 ? '-' : '') + hex(byte)
      }
      return text
    }
  })

  // UTF-8
  class TextEncoder {
    get encoding () { return 'utf-8' }

    encode (text) {
      const written = text === undefined ? '' : kit.String(text)
      const bytes = new RealUint8Array(written.length * 3)
      let at = 0
      for (let index = 0; index < written.length; index++) {
        let code = kit.charCode(written, index)
        if (code >= 0xd800 && code <= 0xdfff) {
          const next = code < 0xdc00 && index + 1 < written.length ? kit.charCode(written, index + 1) : 0
          if (next >= 0xdc00 && next <= 0xdfff) {
            code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00)
            index++
          } else {
            code = 0xfffd
          }
        }
        if (code < 0x80) {
          bytes[at++] = code
          continue
        }
        if (code < 0x800) {
          bytes[at++] = 0xc0 | code >> 6
        } else {
          if (code < 0x10000) {
            bytes[at++] = 0xe0 | code >> 12
          } else {
            bytes[at++] = 0xf0 | code >> 18
            bytes[at++] = 0x80 | code >> 12 & 63
          }
          bytes[at++] = 0x80 | code >> 6 & 63
        }
        bytes[at++] = 0x80 | code & 63
      }
      return copied(bytes, at)
    }
  }

  function copied (bytes, count) {
    const exact = new RealUint8Array(count)
    for (let index = 0; index < count; index++) exact[index] = bytes[index]
    return exact
  }

  const decoders = new WeakMap()
  const decoderGet = kit.method(WeakMap.prototype.get)
  const decoderSet = kit.method(WeakMap.prototype.set)
  const RealArrayBuffer = ArrayBuffer
  const bufferLength = kit.method(kit.descriptor(RealArrayBuffer.prototype, 'byteLength').get)

  class TextDecoder {
    constructor (label, settings) {
      const name = label === undefined ? 'utf-8' : kit.String(label)
      if (!kit.matches(/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i, name)) {
        throw new RangeError('TextDecoder reads utf-8 here, not ' + kit.quote(kit.slice(name, 0, 100)))
      }
      const given = typeof settings === 'object' && settings !== null ? settings : {}
      decoderSet(decoders, this, kit.record({ fatal: !!given.fatal, ignoreBOM: !!given.ignoreBOM }))
    }

    get encoding () { return 'utf-8' }
    get fatal () { return decoderGet(decoders, this).fatal }
    get ignoreBOM () { return decoderGet(decoders, this).ignoreBOM }

    decode (input, settings) {
      const how = decoderGet(decoders, this)
      if (typeof settings === 'object' && settings !== null && settings.stream) {
        throw new kit.TypeError('TextDecoder reads a whole text at a time here; leave stream out')
      }
      if (input === undefined) return ''
      const bytes = kindOf(input) !== undefined ? bytesOf(input) : new RealUint8Array(input, 0, bufferLength(input))
      return decoded(bytes, lengthOf(bytes), how)
    }
  }

  function decoded (bytes, length, how) {
    let text = ''
    let at = 0
    if (!how.ignoreBOM && length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) at = 3
    while (at < length) {
      const first = bytes[at++]
      if (first < 0x80) {
        text += fromCharCode(first)
        continue
      }
      let needed = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0
      let code = needed === 1 ? first & 31 : needed === 2 ? first & 15 : first & 7
      let low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
      let high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
      let isBroken = needed === 0
      while (needed > 0 && !isBroken) {
        const byte = at < length ? bytes[at] : 0
        if (byte < low || byte > high) {
          isBroken = true
        } else {
          code = code << 6 | byte & 63
          low = 0x80
          high = 0xbf
          at++
          needed--
        }
      }
      if (isBroken) {
        if (how.fatal) throw new kit.TypeError('these bytes are not utf-8')
        text += '\ufffd'
      } else if (code < 0x10000) {
        text += fromCharCode(code)
      } else {
        text += fromCharCode(0xd800 + (code - 0x10000 >> 10), 0xdc00 + (code - 0x10000 & 0x3ff))
      }
    }
    return text
  }

  const encode = TextEncoder.prototype.encode
  const wellFormed = kit.method(String.prototype.toWellFormed)
  kit.wellFormed = (text) => wellFormed(text)
  kit.utf8 = kit.record({
    bytes: (text) => encode(text),
    text: (bytes, length) => decoded(bytes, length, { __proto__: null, fatal: false, ignoreBOM: true })
  })
  kit.hidden(kit.global, 'TextEncoder', TextEncoder)
  kit.hidden(kit.global, 'TextDecoder', TextDecoder)
})
