import { assemble } from './assemble'

export default assemble(import.meta.glob('./zh-CN/*.ts', { eager: true }))
