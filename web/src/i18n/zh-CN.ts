import { assemble } from './words'

export default assemble(import.meta.glob('./zh-CN/*.ts', { eager: true }))
