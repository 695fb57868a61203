/** Compresses the built files once, as well as can be: the hub serves file.br or file.gz to browsers that take it. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const COMPRESSIBLE = /\.(js|css|html|svg|json|txt)$/
/** A smaller file fits into one packet as it is. */
const SMALLEST = 1_024

export function compressed(content: Buffer): { br: Buffer; gz: Buffer } {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
  return { br: brotliCompressSync(content, { params }), gz: gzipSync(content, { level: 9 }) }
}

function* filesIn(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) yield* filesIn(path)
    else yield path
  }
}

export function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    writeBundle: {
      order: 'post',
      sequential: true,
      handler({ dir }) {
        for (const path of [...filesIn(dir!)]) {
          const content = readFileSync(path)
          if (!COMPRESSIBLE.test(path) || content.length < SMALLEST) continue
          for (const [encoding, bytes] of Object.entries(compressed(content))) if (bytes.length < content.length) writeFileSync(`${path}.${encoding}`, bytes)
        }
      },
    },
  }
}
