import { NIL, parse, stringify, v1, v3, v4, v5, v6, v7, validate, version } from 'uuid'

export default async function main (say) {
  const random = Uint8Array.from({ length: 16 }, (_, n) => n * 7)
  const made = v4()
  say(validate(made), version(made), made.length, v4() === made)
  say(v4({ random }), v5('basket', v5.URL), v3('basket', v3.DNS))
  say(v7({ msecs: 1772812800000, seq: 5, random }), v1({ msecs: 1772812800000, nsecs: 5, clockseq: 9, node: [1, 2, 3, 4, 5, 6] }))
  say(v6({ msecs: 1772812800000, nsecs: 5, clockseq: 9, node: [1, 2, 3, 4, 5, 6] }))
  say(stringify(parse('109156be-c4fb-41ea-b1b4-efe1671c5836')), NIL, version(v7()), v7() < v7())
}
