import { customAlphabet, customRandom, nanoid, urlAlphabet } from 'nanoid'
import { nanoid as plain } from 'nanoid/non-secure'

export default async function main (say) {
  say(/^[\w-]{21}$/.test(nanoid()), nanoid(5).length, nanoid() === nanoid(), /^[0-9a-f]{10}$/.test(customAlphabet('0123456789abcdef', 10)()))
  say(customRandom(urlAlphabet, 12, size => Uint8Array.from({ length: size }, (_, n) => n * 11))(), plain(7).length)
}
